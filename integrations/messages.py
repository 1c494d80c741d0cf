"""The nouns that cross the border: what a source reports, and what a sink accepts.

Only the standard library, only values. An adapter of Exchange makes these, the engine moves them, an adapter of
Re:infer takes them; none of them knows which product is on the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

FolderId = NewType("FolderId", str)
ItemId = NewType("ItemId", str)
CommentId = NewType("CommentId", str)
Cursor = NewType("Cursor", str)
"""Opaque: only the source that made it reads it. Several kilobytes long at times."""

Properties = Mapping[str, str | int | float]


class FolderKind(StrEnum):
    """What a folder is for, told by the server itself and so the same in every language."""

    ORDINARY = "ordinary"
    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    OUTBOX = "outbox"
    JUNK = "junk"
    DELETED = "deleted"
    SYNC_ISSUES = "sync_issues"
    CONVERSATION_HISTORY = "conversation_history"
    RSS = "rss"


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as the server describes it. Its path follows from its ancestors: see `sync.engine.folder_paths`."""

    id: FolderId
    parent_id: FolderId | None
    name: str
    kind: FolderKind = FolderKind.ORDINARY
    holds_mail: bool = True
    """False for calendars, contacts, tasks and the like: they are part of paths, and nothing in them is listed."""
    total: int | None = None
    """How many items were in it when the tree was looked at; None when the server did not say."""
    folder_class: str = ""
    """As the server tells it; blank where it has none, or where the server does not tell. See `integrations.folder_classes`."""
    hidden: bool = False
    """No mail client shows it."""
    read_since: int = 1
    """The first version of the fixed rules by which such a folder is read: see `mailboxes.rules_versions`."""


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """What happened to the folder tree since a cursor; since no cursor: the whole tree."""

    changed: tuple[Folder, ...]
    gone: tuple[FolderId, ...]
    cursor: Cursor


class ChangeKind(StrEnum):
    CREATED = "created"
    """New in this folder."""
    UPDATED = "updated"
    """In this folder, and changed; of a server that does not tell these two apart, perhaps new."""
    DELETED = "deleted"
    """No longer in this folder: deleted, or moved to another one. Where items keep their ids, the page may tell instead that it
    changed in that folder: see `ChangePage`."""
    READ = "read"
    """Nothing changed that a comment shows: the read flag."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a page: cheap facts about one item, never its content. A deletion knows only its item id."""

    kind: ChangeKind
    folder_id: FolderId
    item_id: ItemId
    change_key: str = ""
    """Another one after each change that a comment could show. A read mark need not leave it as it is."""
    item_class: str = ""
    message_id: str = ""
    """As listed by the server; that of the MIME header can differ."""
    received: datetime | None = None
    size: int = 0
    """Bytes, as the server counts them."""
    draft: bool = False
    modified: datetime | None = None
    """When anything of the item last changed, if only that it was read; None where the server does not say."""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of changes of one folder, and the cursor that stands behind its last line.

    A source whose items keep their ids may also tell where an item is now that left this folder: by a change of another
    folder, which need not tell of it itself.
    """

    changes: tuple[Change, ...]
    cursor: Cursor
    last: bool
    tells_removals: bool = True
    """False where what was removed is told later."""


@dataclass(frozen=True, slots=True)
class ItemDetails:
    """What the server knows of an item beside its MIME, for the properties of a comment."""

    received: datetime | None = None
    size: int = 0
    item_class: str = "IPM.Note"
    importance: str = ""
    """`Low`, `Normal` or `High`."""
    sensitivity: str = ""
    """`Normal`, `Personal`, `Private` or `Confidential`."""
    categories: tuple[str, ...] = ()
    conversation_topic: str = ""
    draft: bool = False
    """Whether the server marks it as a draft. It marks mail so that was imported, too."""


@dataclass(frozen=True, slots=True)
class Email:
    """An item that was fetched: its MIME and its details."""

    change: Change
    """What was asked for, with the change key as fetched: perhaps newer than the one listed, never newer than the MIME."""
    mime: bytes = field(repr=False)
    details: ItemDetails = field(default_factory=ItemDetails, repr=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """The item was moved or deleted since it was listed. Normal: the next pages tell where it went.

    Where items keep their ids, one that was moved may also come as it was listed; the next pages tell that, too.
    """

    change: Change


@dataclass(frozen=True, slots=True)
class Unreadable:
    """This item's own permanent fault: the server cannot hand it out, now or later. A transient one raises."""

    change: Change
    reason: str
    """The server's code for it, never content."""


Fetched = Email | Gone | Unreadable


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    size: int
    content_type: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """The text of a comment and its correspondents, as `Name <address>` strings."""

    subject: str
    body: str
    signature: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """One email as Re:infer keeps it. All but `properties` stays as it was first sent."""

    id: CommentId
    timestamp: datetime
    thread_id: str
    message: Message = field(repr=False)
    properties: Properties = field(default_factory=dict, repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    translated: bool = False
    """Only of a stored comment: Re:infer replaced its text by a translation."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Re:infer will not take this comment, whatever it is sent with."""

    comment_id: CommentId
    reason: str
    """The refusal in the sink's words, never content."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Re:infer acknowledged of one push. Every comment that was pushed was accepted, is a rejection or is in doubt.

    The counts are the server's own and only a cross-check: None where a deployment does not tell.
    """

    rejections: tuple[Rejection, ...] = ()
    in_doubt: tuple[CommentId, ...] = ()
    """Sent with others in a request whose answer does not account for all of them: only the bucket knows which it holds."""
    created: int | None = None
    updated: int | None = None
    unchanged: int | None = None
    text_changed: int | None = None
