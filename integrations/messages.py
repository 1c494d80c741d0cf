"""The values that a `Source` returns and a `Sink` accepts.

The module uses only the standard library and defines only immutable values. A source creates folders, changes and
emails, `conversion` creates a comment from an email, and a sink pushes comments and returns receipts. So none of
these parts depends on the data formats of another part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

FolderId = NewType("FolderId", str)
"""The id of a folder, as the server returns it."""
ItemId = NewType("ItemId", str)
"""The id of a mailbox item, as the server returns it."""
CommentId = NewType("CommentId", str)
"""The id of a comment: hex of the Message-ID, or a SHA-256; see `conversion.identity`."""
Cursor = NewType("Cursor", str)
"""Opaque text that only its source reads. It can be several kilobytes long."""

Properties = Mapping[str, str | int | float]
"""The user properties of a comment, by name, for example `string:Folder`."""


class FolderKind(StrEnum):
    """The purpose of a folder, as the server reports it. It does not depend on the language of the mailbox."""

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
    """One folder, as the server describes it.

    The path of a folder is derived from its ancestors: see `sync.engine.folder_paths`.

    Attributes:
        id: The id of the folder.
        parent_id: The id of its parent; None for the top of the tree.
        name: The name that a user sees, without its path.
        kind: The purpose of the folder.
        holds_mail: False for calendars, contacts, tasks and the like, for hidden folders and for search folders: they are
            part of paths, and their items are not listed.
        total: How many items the folder had when the tree was read; None where the server returns no count.
        folder_class: The class as the server returns it, blank where it returns none: see
            `integrations.folder_classes`.
        hidden: Whether mail clients hide the folder.
        read_since: The first version of the fixed rules by which the folder is read: see `mailboxes.rules_versions`.
    """

    id: FolderId
    parent_id: FolderId | None
    name: str
    kind: FolderKind = FolderKind.ORDINARY
    holds_mail: bool = True
    total: int | None = None
    folder_class: str = ""
    hidden: bool = False
    read_since: int = 1


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """The changes of the folder tree since a cursor, or the whole tree.

    Attributes:
        changed: Folders that were added or changed.
        gone: Ids of folders that were deleted.
        cursor: The cursor for the next call, which then returns only later changes.
    """

    changed: tuple[Folder, ...]
    gone: tuple[FolderId, ...]
    cursor: Cursor


class ChangeKind(StrEnum):
    """What happened to an item of a folder."""

    CREATED = "created"
    """The item is new in this folder."""
    UPDATED = "updated"
    """The item changed, or is new on a server that does not distinguish created and updated items."""
    DELETED = "deleted"
    """The item left this folder: it was deleted, or moved to another folder. Where items keep their ids, the page may
    report a change in the other folder instead: see `ChangePage`."""
    READ = "read"
    """Only properties changed that no comment contains, such as the read flag."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a page: metadata of one item, without its content.

    A deletion or a change of the read flag may have only the ids of item and folder.

    Attributes:
        kind: What happened to the item.
        folder_id: The folder of the item.
        item_id: The id of the item.
        change_key: A version of the item that differs after each change that a comment could show. It may also differ
            after a change of the read flag.
        item_class: The message class, for example `IPM.Note`.
        message_id: The Message-ID as the server lists it. The Message-ID header of the MIME content can differ.
        received: The time of arrival.
        size: Bytes, as the server counts them.
        draft: Whether the server marks the item as a draft.
        modified: The time of the last change of the item, even of its read flag; None where the source reports no time.
    """

    kind: ChangeKind
    folder_id: FolderId
    item_id: ItemId
    change_key: str = ""
    item_class: str = ""
    message_id: str = ""
    received: datetime | None = None
    size: int = 0
    draft: bool = False
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of changes of one folder.

    If an item was moved to another folder and kept its id, the page may contain a change whose `folder_id` is the other
    folder. The change report of the other folder need not contain this change.

    Attributes:
        changes: The changes, in the order of the server.
        cursor: The cursor that continues after the last change of the page.
        last: Whether the folder has no further page now.
        reports_removals: False where removed items are reported on a later page.
    """

    changes: tuple[Change, ...]
    cursor: Cursor
    last: bool
    reports_removals: bool = True


@dataclass(frozen=True, slots=True)
class ItemDetails:
    """What the server stores about an item in addition to its MIME content, for the properties of a comment.

    Attributes:
        received: The time of arrival.
        size: Bytes, as the server counts them.
        item_class: The message class.
        importance: `Low`, `Normal` or `High`.
        sensitivity: `Normal`, `Personal`, `Private` or `Confidential`.
        categories: The names of the categories of the item.
        conversation_topic: The subject of the conversation of the item.
        draft: Whether the server marks the item as a draft. Servers may also mark imported mail as drafts.
    """

    received: datetime | None = None
    size: int = 0
    item_class: str = "IPM.Note"
    importance: str = ""
    sensitivity: str = ""
    categories: tuple[str, ...] = ()
    conversation_topic: str = ""
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Email:
    """An item that was fetched.

    Attributes:
        change: The requested change. Its change key may be newer than the listed change key, and is never newer than
            the MIME content.
        mime: The MIME content.
        details: What the server stores about the item in addition to the MIME content.
    """

    change: Change
    mime: bytes = field(repr=False)
    details: ItemDetails = field(default_factory=ItemDetails, repr=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that was moved or deleted after it was listed. This is no error: later pages report the change.

    Where items keep their ids, a source may also return an `Email` for a moved item. Later pages report the move in
    this case, too.

    Attributes:
        change: The requested change.
    """

    change: Change


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that the server permanently cannot return. For a transient fault, the source raises an error instead.

    Attributes:
        change: The requested change.
        reason: The error code of the server, or a short text of the adapter; never content.
    """

    change: Change
    reason: str


Fetched = Email | Gone | Unreadable
"""The outcome of fetching one item."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """The metadata of an attachment; its content is not pushed.

    Attributes:
        name: The file name.
        size: Bytes of the content.
        content_type: The media type.
        inline: Whether the attachment is shown in the body, such as an image.
    """

    name: str
    size: int
    content_type: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """The text of a comment, and its sender and recipients as `Name <address>` strings.

    Attributes:
        subject: The subject.
        body: The cleaned text, without the signature.
        signature: The signature of the author.
        sender: The author.
        to: The recipients.
        cc: The recipients of copies.
        bcc: The recipients of blind copies.
        sent_at: The time of sending.
    """

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
    """One email as Re:infer stores it. After the first push only `properties` change.

    Attributes:
        id: The comment id.
        timestamp: The time of sending, or the time of arrival if the email has no time of sending.
        thread_id: The id of the conversation of the email.
        message: The text, the sender and the recipients.
        properties: The user properties.
        attachments: The metadata of the attachments.
        translated: Whether Re:infer replaced the text by a translation. Only set when the comment was read from Re:infer.
    """

    id: CommentId
    timestamp: datetime
    thread_id: str
    message: Message = field(repr=False)
    properties: Properties = field(default_factory=dict, repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    translated: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """A comment that Re:infer permanently refuses, even if the request contains no other comment.

    Attributes:
        comment_id: The id of the comment.
        reason: The error text of the sink, never content of the email.
    """

    comment_id: CommentId
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The acknowledgement of one push. Every pushed comment was accepted, was rejected or is in doubt.

    The counts come from the server and are used only as a cross-check. A count is None where the server returns none.

    Attributes:
        rejections: The comments that were refused.
        in_doubt: The comments of each request whose counts do not add up to the number of comments in the request.
            Reading the bucket shows which of these comments are stored.
        created: How many comments were created.
        updated: How many comments were changed.
        unchanged: How many comments were already stored in the same form.
        text_changed: How many stored comments got another text.
    """

    rejections: tuple[Rejection, ...] = ()
    in_doubt: tuple[CommentId, ...] = ()
    created: int | None = None
    updated: int | None = None
    unchanged: int | None = None
    text_changed: int | None = None
