"""Emails that only a newer version of the fixed rules wants, and that were there before it: they wait for an admin. Pure.

Whoever installs a release must not be billed for it unasked. So each version of the rules has a moment at which this
installation took it up. An email that an older version turned away waits if it arrived before that moment, until somebody
answers *Bring them* or *Leave them*. Whatever arrived later comes at once, and so does all that the older rules wanted too.

Until every folder of a mailbox was looked through for a version, nobody knows which emails those are, and the time at which an
email arrived decides (in a folder that cannot be read, until it can). From then on it is the list of those that were found:
what is copied into the mailbox later comes at once, however old it is, and what waits goes on waiting when it is moved, listed
again or sent again.
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
"""In place of a version: nobody has to be asked."""


@dataclass(frozen=True, slots=True)
class Newly:
    """What is known of one mailbox when a sync begins."""

    looked_for: int = 1
    """The version of the rules for which all of its folders were looked through."""
    taken_up: Mapping[int, datetime] = field(default_factory=dict)
    """When this installation took up each version."""
    brought: Collection[int] = ()
    """The versions of which an admin answered *Bring them*."""

    def waits_for(
        self,
        change: Change,
        folder: FolderRecord,
        copy: ItemRecord | None,
        *,
        is_there: bool,
        listed: Collection[CommentId],
    ) -> int:
        """The version whose answer this wanted item has to wait for; `AT_ONCE` when it has not.

        `copy`: what is remembered of it. `is_there`: whether the bucket holds the email already. `listed`: the keys of the
        emails that wait, of those on its page.
        """
        version = wanted_since(change, folder.read_since)
        if version == 1 or version in self.brought or (copy is not None and copy.verdict == DELIVERED):
            return AT_ONCE
        if copy is not None and copy.verdict == NEWLY_WANTED:
            return version
        is_open = min(self.looked_for, folder.looked_through) < version and self._was_there(change, version)
        if is_there:
            # To follow it is free, but nothing is sent unasked. Behind the listing of its folder it is one that was moved.
            return version if is_open and folder.looked_through < version else AT_ONCE
        return version if is_open or key_of(change) in listed else AT_ONCE

    def _was_there(self, change: Change, version: int) -> bool:
        since = self.taken_up.get(version)
        return since is None or change.received is None or change.received < since


def key_of(change: Change) -> CommentId:
    """By what such an email is known again wherever it lies: its comment id as listed, or arrival and size where it bears no
    Message-ID."""
    listed = listed_comment_id(change.message_id)
    if listed is not None:
        return listed
    facts = f"{change.received.isoformat() if change.received else ''} {change.size}"
    return CommentId(f"nameless-{hashlib.sha256(facts.encode()).hexdigest()}")
