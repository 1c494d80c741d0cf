"""Emails that only a newer version of the fixed rules wants, and that existed before it. Pure.

They wait for an administrator, since an upgrade must not cause AI units without consent. So each version of the rules
has a time at which this installation took it up. An email that an older version rejected waits if it arrived before
that time, until an administrator chooses *Bring them* or *Leave them*. An email that arrived later is delivered at
once. So is every email that the older rules wanted, too.

While the rescan of a mailbox goes on, these emails are not known yet, and the time at which an email arrived decides
(in a folder that cannot be read, until it can be read). After the rescan, the list of the emails that it found decides:
an email that is copied into the mailbox later is delivered at once, however old it is. A listed email goes on waiting
when it is moved, listed again or sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from conversion.identity import listed_comment_id
from integrations.messages import Change, CommentId
from mailboxes.rules_versions import wanted_since
from sync.engine.records import DELIVERED, NEWLY_WANTED, FolderRecord, ItemRecord

AT_ONCE = 0
"""Used in place of a version: no answer is needed."""


@dataclass(frozen=True, slots=True)
class Newly:
    """What is known of one mailbox when a sync begins."""

    looked_for: int = 1
    """The version of the rules for which all folders were rescanned."""
    taken_up: Mapping[int, datetime] = field(default_factory=dict)
    """When this installation took up each version."""
    brought: Collection[int] = ()
    """The versions for which an administrator chose *Bring them*."""

    def version_to_wait_for(
        self,
        change: Change,
        folder: FolderRecord,
        item: ItemRecord | None,
        *,
        is_there: bool,
        listed: Collection[CommentId],
    ) -> int:
        """Return the version whose answer a wanted item has to wait for.

        Args:
            change: The item.
            folder: Its folder.
            item: What is stored of it, if anything.
            is_there: The bucket holds the comment already.
            listed: The keys of the waiting emails among those of its page.

        Returns:
            The version, or `AT_ONCE` when the item need not wait.
        """
        version = wanted_since(change, folder.read_since)
        if version == 1 or version in self.brought or (item is not None and item.verdict == DELIVERED):
            return AT_ONCE
        if item is not None and item.verdict == NEWLY_WANTED:
            return version
        is_open = min(self.looked_for, folder.looked_through) < version and self._was_there(change, version)
        if is_there:
            # An update of its properties is free, but nothing is sent without consent. After the listing of its folder,
            # such an item is one that was moved.
            return version if is_open and folder.looked_through < version else AT_ONCE
        return version if is_open or key_of(change) in listed else AT_ONCE

    def _was_there(self, change: Change, version: int) -> bool:
        since = self.taken_up.get(version)
        return since is None or change.received is None or change.received < since


def key_of(change: Change) -> CommentId:
    """Return the key by which such an email is recognised in any folder.

    Args:
        change: The email as it is listed.

    Returns:
        The comment id of the listed Message-ID, or a digest of received time and size if the email has no Message-ID.
    """
    listed = listed_comment_id(change.message_id)
    if listed is not None:
        return listed
    facts = f"{change.received.isoformat() if change.received else ''} {change.size}"
    return CommentId(f"nameless-{hashlib.sha256(facts.encode()).hexdigest()}")
