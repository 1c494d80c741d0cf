"""A mailbox in memory, and an implementation of `integrations.ports.Source` that reads it.

Each folder has a change log, unknown cursors are refused, and moved items get new ids (unless `keeps_ids`). The contract suite
(`tests/contract`) checks that this source behaves like the real adapters over the simulators.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from typing import Self

from integrations.errors import CursorRefused, FolderGone, FolderRefused, IntegrationError, MailboxNotFound
from integrations.messages import (
    Change,
    ChangeKind,
    ChangePage,
    Cursor,
    Email,
    Fetched,
    Folder,
    FolderChanges,
    FolderId,
    FolderKind,
    Gone,
    ItemDetails,
    ItemId,
    Unreadable,
)
from tests.mails import NOON


@dataclass(slots=True)
class Item:
    id: ItemId
    change_key: str
    mime: bytes
    received: datetime
    item_class: str = "IPM.Note"
    draft: bool = False
    fault: str = ""
    """Error code with which each fetch of this item fails; blank if it can be fetched."""
    listed_message_id: str | None = None
    listed: bool = True
    """If False, the item counts in the total of its folder, but is in no listing."""

    @property
    def message_id(self) -> str:
        if self.listed_message_id is not None:
            return self.listed_message_id
        return message_from_bytes(self.mime).get("Message-ID", "")


@dataclass(slots=True)
class FakeFolder:
    folder: Folder
    items: dict[ItemId, Item] = field(default_factory=dict)
    log: list[tuple[ChangeKind, ItemId]] = field(default_factory=list)
    forbidden: bool = False
    """If True, the folder is in the tree, but cannot be read."""
    denied_as: str = "ErrorAccessDenied"
    """Error code of a refused read."""


class FakeMailbox:
    """One mailbox. `faults` contains, by method name, errors that the next calls of the source raise."""

    def __init__(
        self,
        address: str,
        names: Mapping[str, str] | None = None,
        *,
        keeps_ids: bool = False,
        quiet_moves: bool = False,
    ) -> None:
        """Create a mailbox with the well-known folders.

        Args:
            address: Email address of the mailbox.
            names: Names of well-known folders in another language, by their English names.
            keeps_ids: Whether a moved item keeps its id and change key, as on some servers.
            quiet_moves: Whether the target folder of a move does not report the item as a change.
        """
        self.address = address
        self.keeps_ids, self.quiet_moves = keeps_ids, quiet_moves
        self.folders: dict[FolderId, FakeFolder] = {}
        self.tree_log: list[FolderId] = []
        self.faults: dict[str, list[BaseException]] = {}
        self.in_place_of: dict[ItemId, list[bytes]] = {}
        self.generation = 0
        self._numbers = itertools.count(1)
        for name, kind in (
            ("Inbox", FolderKind.INBOX),
            ("Sent Items", FolderKind.SENT),
            ("Deleted Items", FolderKind.DELETED),
            ("Drafts", FolderKind.DRAFTS),
            ("Junk Email", FolderKind.JUNK),
        ):
            self.create_folder((names or {}).get(name, name), kind=kind)

    # ---- changes by users and servers -------------------------------------------------------------------------------

    def create_folder(
        self, name: str, *, parent: str | None = None, kind: FolderKind = FolderKind.ORDINARY, holds_mail: bool = True
    ) -> FolderId:
        folder_id = FolderId(f"F{next(self._numbers)}@{self.address}")
        parent_id = self.folder(parent).folder.id if parent else None
        self.folders[folder_id] = FakeFolder(Folder(folder_id, parent_id, name, kind, holds_mail))
        self.tree_log.append(folder_id)
        return folder_id

    def folder(self, name: str) -> FakeFolder:
        return next(entry for entry in self.folders.values() if entry.folder.name == name)

    def rename_folder(self, name: str, new: str) -> None:
        entry = self.folder(name)
        entry.folder = replace(entry.folder, name=new)
        self.tree_log.append(entry.folder.id)

    def move_folder(self, name: str, parent: str | None) -> None:
        entry = self.folder(name)
        entry.folder = replace(entry.folder, parent_id=self.folder(parent).folder.id if parent else None)
        self.tree_log.append(entry.folder.id)

    def delete_folder(self, name: str) -> None:
        """Delete a folder and its subfolders, with their mail."""
        folder_id = self.folder(name).folder.id
        for child in [entry.folder for entry in self.folders.values() if entry.folder.parent_id == folder_id]:
            self.delete_folder(child.name)
        del self.folders[folder_id]
        self.tree_log.append(folder_id)

    def forbid_folder(self, name: str, code: str = "ErrorAccessDenied") -> None:
        """Keep the folder in the tree, but refuse to read it."""
        entry = self.folder(name)
        entry.forbidden, entry.denied_as = True, code

    def permit_folder(self, name: str) -> None:
        self.folder(name).forbidden = False

    def deliver(
        self,
        mime: bytes,
        folder: str = "Inbox",
        *,
        received: datetime = NOON,
        reported: bool = True,
        listed: bool = True,
        **values: object,
    ) -> ItemId:
        """Add an email to a folder, and return its item id.

        If `reported` is False, the email is in no change report, only in a new listing. If `listed` is False, the
        email is in no change report and in no listing, but still counts in the total of the folder.
        """
        item = Item(self._new_id(), self._new_key(), mime, received, listed=listed, **values)  # type: ignore[arg-type]
        if reported and listed:
            return self._put(item, folder)
        self.folder(folder).items[item.id] = item
        return item.id

    def move(self, item_id: ItemId, folder: str) -> ItemId:
        """Move an item, and return its id. As in Exchange, the id is new, unless the mailbox has `keeps_ids`."""
        moved = self._take(item_id)
        if not self.keeps_ids:
            moved = replace(moved, id=self._new_id(), change_key=self._new_key())
        return self._put(moved, folder, reported=not self.quiet_moves)

    def copy(self, item_id: ItemId, folder: str) -> ItemId:
        original = self._folder_of(item_id).items[item_id]
        return self._put(replace(original, id=self._new_id(), change_key=self._new_key()), folder)

    def edit(self, item_id: ItemId, mime: bytes) -> None:
        holder = self._folder_of(item_id)
        holder.items[item_id] = replace(holder.items[item_id], mime=mime, change_key=self._new_key())
        holder.log.append((ChangeKind.UPDATED, item_id))

    def read(self, item_id: ItemId) -> None:
        self._folder_of(item_id).log.append((ChangeKind.READ, item_id))

    def delete(self, item_id: ItemId) -> None:
        self._take(item_id)

    def break_item(self, item_id: ItemId, code: str) -> None:
        self._folder_of(item_id).items[item_id].fault = code

    def mend_item(self, item_id: ItemId) -> None:
        self._folder_of(item_id).items[item_id].fault = ""

    def hand_out(self, item_id: ItemId, page: bytes, times: int = 1000) -> None:
        """Return this body instead of the email in the next fetches of the item."""
        self.in_place_of[item_id] = [page] * times

    def forget_cursors(self) -> None:
        """Refuse all cursors that were returned so far."""
        self.generation += 1

    def migrate(self) -> None:
        """Move the mailbox to another server: all ids change, all cursors are refused, and the mail is the same."""
        self.generation += 1
        renamed = {old: FolderId(f"M{next(self._numbers)}@{self.address}") for old in self.folders}
        moved = {}
        for old, entry in self.folders.items():
            parent = renamed.get(entry.folder.parent_id) if entry.folder.parent_id else None
            items = [replace(item, id=self._new_id(), change_key=self._new_key()) for item in entry.items.values()]
            folder = replace(entry.folder, id=renamed[old], parent_id=parent)
            log = [(ChangeKind.CREATED, item.id) for item in items]
            moved[renamed[old]] = FakeFolder(folder, {item.id: item for item in items}, log, entry.forbidden)
        self.folders = moved
        self.tree_log = list(moved)

    def fail(self, method: str, error: BaseException, times: int = 1) -> None:
        self.faults.setdefault(method, []).extend([error] * times)

    def _put(self, item: Item, folder: str, *, reported: bool = True) -> ItemId:
        holder = self.folder(folder)
        holder.items[item.id] = item
        if reported:
            holder.log.append((ChangeKind.CREATED, item.id))
        return item.id

    def _take(self, item_id: ItemId) -> Item:
        holder = self._folder_of(item_id)
        holder.log.append((ChangeKind.DELETED, item_id))
        return holder.items.pop(item_id)

    def _folder_of(self, item_id: ItemId) -> FakeFolder:
        return next(entry for entry in self.folders.values() if item_id in entry.items)

    def _new_id(self) -> ItemId:
        return ItemId(f"AAMk{next(self._numbers):08d}=={self.address}")

    def _new_key(self) -> str:
        return f"CQ{next(self._numbers)}"


@dataclass(frozen=True, slots=True)
class _Listing:
    """A first listing in progress: the length of the log at its start, and time and id of the last listed item."""

    log_length: int
    last_listed: tuple[float, ItemId] | None


class FakeSource:
    """The source of one worker for a mailbox. `fetched` counts the emails whose MIME was returned."""

    def __init__(self, mailbox: FakeMailbox | None, *, page_size: int = 512) -> None:
        self.mailbox = mailbox
        self.page_size = page_size
        self.fetched = 0
        self.listed: list[FolderId] = []
        """Folders whose listing was started without a cursor."""
        self.closed = False

    def check(self) -> None:
        self._mailbox_or_fault("check")

    def folders(self, after: Cursor | None) -> FolderChanges:
        box = self._mailbox_or_fault("folders")
        start = self._position("tree", after)
        touched = dict.fromkeys(box.tree_log[start:])
        return FolderChanges(
            changed=tuple(
                replace(box.folders[folder_id].folder, total=len(box.folders[folder_id].items))
                for folder_id in touched
                if folder_id in box.folders
            ),
            gone=tuple(folder_id for folder_id in touched if folder_id not in box.folders) if after else (),
            cursor=self._cursor("tree", len(box.tree_log)),
        )

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        self._position(folder, after)
        if after is None:
            self.listed.append(folder)
        return self._pages(folder, after)

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        box = self._mailbox_or_fault("fetch")
        for change in changes:
            holder = box.folders.get(change.folder_id)
            if holder is None or change.item_id not in holder.items:
                yield Gone(change)
                continue
            item = holder.items[change.item_id]
            if holder.forbidden:
                denied = holder.denied_as == "ErrorAccessDenied"
                yield Unreadable(change, holder.denied_as) if denied else Gone(change)
                continue
            if item.fault == "ErrorItemNotFound":
                yield Gone(change)
                continue
            if item.fault:
                yield Unreadable(change, item.fault)
                continue
            self.fetched += 1
            details = ItemDetails(item.received, len(item.mime), item.item_class, draft=item.draft)
            pages = box.in_place_of.get(item.id)
            yield Email(replace(change, change_key=item.change_key), pages.pop() if pages else item.mime, details)

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _pages(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        while True:
            box = self._mailbox_or_fault("changes")
            position = self._place(folder, after)
            if folder not in box.folders:
                raise FolderGone
            entry = box.folders[folder]
            if entry.forbidden:
                denied = entry.denied_as == "ErrorAccessDenied"
                raise FolderRefused(entry.denied_as) if denied else FolderGone(entry.denied_as)
            if isinstance(position, _Listing):
                listed, after, last = self._first(entry, position)
            else:
                listed, after, last = self._since(entry, position)
            yield ChangePage(tuple(listed), after, last)
            if last:
                return

    def _first(self, entry: FakeFolder, listing: _Listing) -> tuple[list[Change], Cursor, bool]:
        """Return a page of the items in the folder, newest first. The last page has a cursor for later log entries."""
        places = sorted((item.received.timestamp(), item.id) for item in entry.items.values() if item.listed)
        rest = [place for place in reversed(places) if listing.last_listed is None or place < listing.last_listed]
        page = rest[: self.page_size]
        listed = [self._change(entry, ChangeKind.CREATED, item_id) for _, item_id in page]
        if len(rest) <= self.page_size:
            return listed, self._cursor(entry.folder.id, listing.log_length), listing.log_length == len(entry.log)
        moment, item_id = page[-1]
        return listed, self._cursor(entry.folder.id, listing.log_length, f"{moment} {item_id}"), False

    def _since(self, entry: FakeFolder, start: int) -> tuple[list[Change], Cursor, bool]:
        """Return a page of the log, with each item once and in its current state."""
        end = min(start + self.page_size, len(entry.log))
        kinds: dict[ItemId, ChangeKind] = {}
        for kind, item_id in entry.log[start:end]:
            new = kinds.get(item_id) in (None, ChangeKind.READ) or kind is ChangeKind.DELETED
            kinds[item_id] = kind if new else kinds[item_id]
        changes = [
            self._change(entry, ChangeKind.UPDATED if kind is ChangeKind.DELETED else kind, item_id)
            if item_id in entry.items
            else self._moved_or_deleted(entry, item_id)
            for item_id, kind in kinds.items()
        ]
        return changes, self._cursor(entry.folder.id, end), end >= len(entry.log)

    def _moved_or_deleted(self, entry: FakeFolder, item_id: ItemId) -> Change:
        """Return the change for an item that left this folder: a deletion, or an update in its current folder."""
        now = next((other for other in self._mailbox_or_fault("").folders.values() if item_id in other.items), None)
        if now is None:
            return Change(ChangeKind.DELETED, entry.folder.id, item_id)
        return self._change(now, ChangeKind.UPDATED, item_id)

    def _change(self, entry: FakeFolder, kind: ChangeKind, item_id: ItemId) -> Change:
        if kind is ChangeKind.READ:
            return Change(kind, entry.folder.id, item_id)
        item = entry.items[item_id]
        return Change(
            kind=kind,
            folder_id=entry.folder.id,
            item_id=item_id,
            change_key=item.change_key,
            item_class=item.item_class,
            message_id=item.message_id,
            received=item.received,
            size=len(item.mime),
            draft=item.draft,
        )

    def _cursor(self, name: str, position: int, last_listed: str = "") -> Cursor:
        box = self._mailbox_or_fault("")
        return Cursor(f"{box.generation}|{name}|{position}|{last_listed}.")

    def _place(self, folder: FolderId, cursor: Cursor | None) -> int | _Listing:
        """Return the position of a cursor: an index in the log of the folder, or a first listing in progress."""
        if cursor is None:
            known = self._mailbox_or_fault("").folders.get(folder)
            return _Listing(len(known.log) if known else 0, None)
        position = self._position(folder, cursor)
        last_listed = str(cursor).split("|")[3].removesuffix(".")
        if not last_listed:
            return position
        moment, _, item_id = last_listed.partition(" ")
        return _Listing(position, (float(moment), ItemId(item_id)))

    def _position(self, name: str, cursor: Cursor | None) -> int:
        if cursor is None:
            return 0
        parts = str(cursor).split("|")
        box = self._mailbox_or_fault("")
        if len(parts) != 4 or not parts[3].endswith(".") or parts[:2] != [str(box.generation), name]:
            raise CursorRefused
        return int(parts[2])

    def _mailbox_or_fault(self, method: str) -> FakeMailbox:
        if self.mailbox is None:
            raise MailboxNotFound
        faults = self.mailbox.faults.get(method)
        if faults:
            raise faults.pop(0)
        return self.mailbox


__all__ = ["FakeMailbox", "FakeSource", "IntegrationError"]
