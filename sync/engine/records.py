"""Values that the engine reads and writes, such as items, ledger entries, intentions, and folders with checkpoints.

`sync.store.ledger` and `sync.store.checkpoints` store these values in the database. The fakes of the tests store them in
dictionaries. The engine handles stored data only as these values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, Comment, CommentId, Cursor, FolderId, FolderKind, ItemId, Rejection

DELIVERED = "delivered"
SET_ASIDE = "set_aside"
NEWLY_WANTED = "newly_wanted"
"""Verdicts on an item, in addition to the verdicts of `mailboxes.rules.FilterVerdict`. `NEWLY_WANTED`: see
`sync.engine.newly_wanted`."""


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder of the mailbox, with its checkpoint."""

    id: FolderId
    path: tuple[str, ...]
    kinds: frozenset[FolderKind]
    kind: FolderKind
    holds_mail: bool
    cursor: Cursor | None
    wanted_digest: str
    up_to_date: bool = False
    """The page that was read last was the last page of the folder, or the server did not find the folder."""
    turn: int = 0
    """The last round in which the folder had its turn: see `sync.engine.folder_order`."""
    refused: bool = False
    """The folder could not be read at the last attempt: see `sync.engine.folder_refusals`."""
    retry_due: bool = True
    """Whether a refused folder is due for its next attempt."""
    not_found: bool = False
    """The server did not find the folder at the last attempt, although the tree contained the folder before that attempt
    and contains it now."""
    listing: bool = False
    """The folder is being listed from its beginning, and the listing has not ended."""
    read_since: int = 1
    """The first version of the fixed rules with which the folder is read."""
    looked_through: int = 1
    """The version of the fixed rules for which the folder was listed from beginning to end, or counts as rescanned."""
    look_cursor: Cursor | None = None
    """The cursor of the rescan of the folder: see `sync.engine.rescan`."""


@dataclass(frozen=True, slots=True)
class Round:
    """The round of folder turns that a mailbox is in: see `sync.engine.folder_order`."""

    number: int
    pass_began: int
    """The round in which the current pass began."""
    failures: int = 0
    """Failed syncs of the mailbox in a row."""


@dataclass(frozen=True, slots=True)
class PageAttempt:
    """An attempt at the page after a checkpoint, counted before the work begins."""

    number: int
    item_in_hand: ItemId | None
    """The item at which an earlier attempt ended, for example because its worker crashed. None if no earlier attempt
    delivered the emails one by one."""


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """The stored data of an email in a folder of the mailbox."""

    item_id: ItemId
    change_key: str
    folder_id: FolderId
    listed_id: CommentId | None
    comment_id: CommentId | None
    received: datetime | None
    size: int
    verdict: str
    judged_by: str = ""


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """What the ledger contains about one comment of the bucket."""

    comment_id: CommentId
    confirmed: bool
    content_digest: str
    properties_digest: str
    identity_digest: str
    sequence: int
    dirty: bool
    billed: bool
    winner_item: ItemId | None
    """The item that was synced last, if it is in this mailbox."""
    in_flight_elsewhere: bool
    """A sync of another mailbox may be pushing the comment now."""


@dataclass(frozen=True, slots=True)
class Intention:
    """A push that is about to happen.

    `seen` is the entry on which the decision was based. It must be unchanged when the intention is written.
    """

    comment: Comment
    """The comment as it is pushed."""
    content_digest: str
    properties_digest: str
    identity_digest: str
    change: Change
    creates: bool
    """The comment counts as created by this run."""
    billed: bool
    """This product caused the AI unit of the comment, with this push or an earlier one."""
    collision: bool = False
    is_there: bool = False
    """The bucket has the comment already."""
    seen: LedgerRecord | None = None
    mark: str = ""
    """Set when the intention is written. The entry is confirmed only if it still has this mark."""


@dataclass(frozen=True, slots=True)
class ConfirmedEntry:
    """An entry that is confirmed without a push, because the bucket has the comment and needs no update."""

    comment_id: CommentId
    content_digest: str
    properties_digest: str
    identity_digest: str
    change: Change
    billed: bool
    seen: LedgerRecord | None
    collision: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """An email that cannot be delivered now, and the reason."""

    change: Change
    kind: DeadLetterKind
    detail: str = ""
    """What Exchange or Re:infer reported: a code or a few words, never content. No decision depends on this text."""


@dataclass(frozen=True, slots=True)
class Found:
    """A newly wanted email."""

    item: ItemRecord
    version: int
    """The version on which an administrator has to decide; 0 if the email is delivered at once."""
    draft: bool = False
    """The email is marked as a draft."""


@dataclass(frozen=True, slots=True)
class AnsweredEmail:
    """An item of a newly wanted email that may be delivered now."""

    change: Change
    key: CommentId
    """The key under which the email is stored: see `sync.engine.newly_wanted.key_of`."""
    attempts: int
    """Number of earlier attempts that ended without a recorded result."""


@dataclass(frozen=True, slots=True)
class PushResult:
    """The certain results of one push: accepted and refused intentions. Comments in doubt are not included."""

    ids: tuple[CommentId, ...]
    """Comment ids in the order in which they were pushed."""
    accepted: tuple[Intention, ...]
    refused: tuple[tuple[Intention, Rejection], ...] = ()


@dataclass(slots=True)
class RunCounts:
    """The counts of a run that pages show."""

    listed: int = 0
    fetched: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    not_wanted: int = 0
    set_aside: int = 0
    held_back: int = 0
    text_changes: int = 0
    longest_wait: int | None = None
    """The longest time from the arrival of a new email to its comment, in seconds; None if there was no new email."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run that did not fail."""

    finished: bool
    """False when the run ended early, for example at the end of its time slice. The next run continues the work."""
    stopped: bool = False
    left_out: int = 0
    """Number of folders with wanted mail that cannot be read."""
    is_rescanning: bool = False
    """The rescan for newer rules has not ended."""
    counts: RunCounts = field(default_factory=RunCounts)


Stored = Mapping[CommentId, Comment]
