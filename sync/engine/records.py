"""What the engine remembers, as values: copies, ledger entries, folders with their checkpoints, intentions.

The database keeps them (`sync.store.ledger`, `sync.store.checkpoints`), the fakes of the tests keep them in a
dictionary, and the engine knows only these.
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
"""The verdicts on a copy beside those of `mailboxes.rules.Verdict`. The last one: see `sync.engine.newly_wanted`."""


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder of the mailbox in hand, with its checkpoint."""

    id: FolderId
    path: tuple[str, ...]
    kinds: frozenset[FolderKind]
    kind: FolderKind
    holds_mail: bool
    cursor: Cursor | None
    wanted_digest: str
    up_to_date: bool = False
    """When its last page was read, no other followed."""
    turn: int = 0
    """The last round in which it had its turn: see `sync.engine.folder_order`."""
    refused: bool = False
    """When it was last tried, it could not be read: see `sync.engine.folder_refusals`."""
    retry_due: bool = True
    """Of one that was refused: whether it is time to try it again."""
    not_found: bool = False
    """When it was last tried, the server said that it is not there. It was in the tree before, and is in it now."""
    listing: bool = False
    """It is being listed from its beginning, and not yet through."""
    read_since: int = 1
    """The first version of the fixed rules by which it is read."""
    looked_through: int = 1
    """The version of the fixed rules by which it was last listed from its beginning to its end."""
    look_cursor: Cursor | None = None
    """How far it is looked through for the present version, beside the syncs: see `sync.engine.rescan`."""


@dataclass(frozen=True, slots=True)
class Round:
    """The round of turns that a mailbox is in: see `sync.engine.folder_order`."""

    number: int
    pass_began: int
    """The round in which the pass in hand began."""
    failures: int = 0
    """Failed syncs of the mailbox in a row."""


@dataclass(frozen=True, slots=True)
class PageAttempt:
    """A try at the page behind a checkpoint, counted before the work begins."""

    number: int
    item_in_hand: ItemId | None
    """What the try before this one held when it ended without a word."""


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """An email as it lies in a folder, as far as we remember it."""

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
    """What the ledger knows of one comment of the bucket in hand."""

    comment_id: CommentId
    confirmed: bool
    content_digest: str
    properties_digest: str
    identity_digest: str
    sequence: int
    dirty: bool
    billed: bool
    winner_item: ItemId | None
    """The copy synced last, when it lies in the mailbox in hand."""
    in_flight_elsewhere: bool
    """A sync of another mailbox may be pushing it at this moment."""


@dataclass(frozen=True, slots=True)
class Intention:
    """A push that is about to happen. `seen` is the entry it was decided by: it must still be so when it is written."""

    comment: Comment
    """What will be sent."""
    content_digest: str
    properties_digest: str
    identity_digest: str
    change: Change
    creates: bool
    """Counts as created by this run."""
    billed: bool
    """The AI unit of this comment is ours, by this push or by one before it."""
    collision: bool = False
    is_there: bool = False
    """The bucket holds the comment already."""
    seen: LedgerRecord | None = None
    mark: str = ""
    """Set when the intention is written: confirming finds it by this and by nothing else."""


@dataclass(frozen=True, slots=True)
class ConfirmedEntry:
    """An entry brought to confirmed without a push: what the bucket holds is known and right as it is."""

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
    """An email that cannot be delivered now, and why."""

    change: Change
    kind: DeadLetterKind
    detail: str = ""
    """What the other side said of it: a code or a few words, never content. Nothing is decided by it."""


@dataclass(frozen=True, slots=True)
class Found:
    """An email that newer rules want."""

    copy: ItemRecord
    version: int
    """Of the rules, whose answer it waits for; 0 when it comes at once."""
    draft: bool = False
    """It is marked as a draft."""


@dataclass(frozen=True, slots=True)
class AnsweredEmail:
    """An email that waited for an answer and may come now."""

    change: Change
    key: CommentId
    """By which it is remembered: see `sync.engine.newly_wanted.key_of`."""
    attempts: int
    """How often it was tried before, without a word of how that ended."""


@dataclass(frozen=True, slots=True)
class PushResult:
    """What came of one push: the intentions that were acknowledged, and those refused for good; none that is in doubt."""

    ids: tuple[CommentId, ...]
    """In the order in which they were sent."""
    accepted: tuple[Intention, ...]
    refused: tuple[tuple[Intention, Rejection], ...] = ()


@dataclass(slots=True)
class RunCounts:
    """What a run did, for people."""

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
    """Seconds from the arrival of a new email to its comment; None when there was none."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended, when nothing failed."""

    finished: bool
    """False when it gave its slot back or was stopped; it goes on where it left."""
    stopped: bool = False
    left_out: int = 0
    """Folders that hold wanted mail and cannot be read."""
    looking: bool = False
    """Folders are still looked through for what newer rules want."""
    counts: RunCounts = field(default_factory=RunCounts)
    stored_asked: int = 0


Stored = Mapping[CommentId, Comment]
