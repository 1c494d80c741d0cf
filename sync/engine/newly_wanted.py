"""Emails that only a newer version of the fixed rules wants, and that are older than its first use. Pure.

They wait for the decision of an administrator, because an upgrade must not cause AI units without consent. For each
version of the rules, the database stores when this installation first used that version. An email that an older version
rejected, and that arrived before the first use, waits: it is delivered only if an administrator chooses *Bring them*. Emails
that arrived later, and emails that the older rules wanted, are delivered at once.

Until the rescan of a mailbox ends, it is not known which emails have to wait, so the arrival time decides. In a folder
that cannot be read, the arrival time decides until that folder is rescanned. After the rescan, only the emails that the
rescan found wait. An email that is copied into the mailbox after the rescan is delivered at once, however old it is. An
email that the rescan found continues to wait when it is moved or listed again, and after *Push missing again*.
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
"""Used instead of a version number: the email is delivered without a decision of an administrator."""


@dataclass(frozen=True, slots=True)
class Newly:
    """The state of the rescan of one mailbox, and the decisions on its newly wanted emails, when a sync begins."""

    looked_for: int = 1
    """The version of the rules for which all folders that can be read were rescanned."""
    taken_up: Mapping[int, datetime] = field(default_factory=dict)
    """When this installation first used each version."""
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
        """Return the version on which an administrator has to decide before a wanted item is delivered.

        Args:
            change: The item.
            folder: Its folder.
            item: The stored item, if there is one.
            is_there: The email was delivered before, or its push is intended.
            listed: The keys of the emails of the page that are stored as newly wanted.

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
            # An update of the properties is free, but nothing is pushed without consent. If the folder was rescanned
            # already, the item was moved into it after that rescan, and its comment is updated at once.
            return version if is_open and folder.looked_through < version else AT_ONCE
        return version if is_open or key_of(change) in listed else AT_ONCE

    def _was_there(self, change: Change, version: int) -> bool:
        since = self.taken_up.get(version)
        return since is None or change.received is None or change.received < since


def key_of(change: Change) -> CommentId:
    """Return the key by which a newly wanted email is recognised in any folder.

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
