"""An Exchange in memory, and the honest fake of `integrations.ports.Source` over it.

A change log for each folder, cursors that are refused when they are not known, new item ids for moved mail: it behaves
as the real adapter does over the simulator, and the contract suite (`tests/contract`) says so of both.
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
    """The code with which it cannot be handed out."""
    listed_message_id: str | None = None
    listed: bool = True
    """False for one that counts in the total of its folder, and that no listing tells."""

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
    """It is seen in the tree, and cannot be read."""
    denied_as: str = "ErrorAccessDenied"
    """The code with which that is refused."""


class FakeMailbox:
    """One mailbox. `faults` are raised by the next calls of the source's method of that name."""

    def __init__(
        self,
        address: str,
        names: Mapping[str, str] | None = None,
        *,
        keeps_ids: bool = False,
        quiet_moves: bool = False,
    ) -> None:
        """`names`: what the well-known folders are called in another language, by their English names.

        `keeps_ids`: an item that is moved stays what it is, id and change key, as some servers can have it.
        `quiet_moves`: with it, the folder that an item is moved to does not tell of it.
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

    # ---- what happens to it ---------------------------------------------------------------------------------------

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
        """The folder and all below it, with their mail."""
        folder_id = self.folder(name).folder.id
        for child in [entry.folder for entry in self.folders.values() if entry.folder.parent_id == folder_id]:
            self.delete_folder(child.name)
        del self.folders[folder_id]
        self.tree_log.append(folder_id)

    def forbid_folder(self, name: str, code: str = "ErrorAccessDenied") -> None:
        """The account sees it from now on, and may not read it."""
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
        """`reported` False: no change report tells of its arrival; a new listing does. `listed` False: neither does, and the
        total of its folder counts it all the same."""
        item = Item(self._new_id(), self._new_key(), mime, received, listed=listed, **values)  # type: ignore[arg-type]
        if reported and listed:
            return self._put(item, folder)
        self.folder(folder).items[item.id] = item
        return item.id

    def move(self, item_id: ItemId, folder: str) -> ItemId:
        """Gone here, new there; under a new item id, as Exchange does, unless this one keeps them."""
        moved = self._take(item_id)
        if not self.keeps_ids:
            moved = replace(moved, id=self._new_id(), change_key=self._new_key())
        return self._put(moved, folder, told=not self.quiet_moves)

    def copy(self, item_id: ItemId, folder: str) -> ItemId:
        original = self._holder(item_id).items[item_id]
        return self._put(replace(original, id=self._new_id(), change_key=self._new_key()), folder)

    def edit(self, item_id: ItemId, mime: bytes) -> None:
        holder = self._holder(item_id)
        holder.items[item_id] = replace(holder.items[item_id], mime=mime, change_key=self._new_key())
        holder.log.append((ChangeKind.UPDATED, item_id))

    def read(self, item_id: ItemId) -> None:
        self._holder(item_id).log.append((ChangeKind.READ, item_id))

    def delete(self, item_id: ItemId) -> None:
        self._take(item_id)

    def break_item(self, item_id: ItemId, code: str) -> None:
        self._holder(item_id).items[item_id].fault = code

    def mend_item(self, item_id: ItemId) -> None:
        self._holder(item_id).items[item_id].fault = ""

    def hand_out(self, item_id: ItemId, page: bytes, times: int = 1000) -> None:
        """The next answers about this item are this page."""
        self.in_place_of[item_id] = [page] * times

    def forget_cursors(self) -> None:
        """Every cursor handed out so far is refused from now on."""
        self.generation += 1

    def migrate(self) -> None:
        """Moved to another server: all ids are new, all cursors void, the mail is the same."""
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

    def _put(self, item: Item, folder: str, *, told: bool = True) -> ItemId:
        holder = self.folder(folder)
        holder.items[item.id] = item
        if told:
            holder.log.append((ChangeKind.CREATED, item.id))
        return item.id

    def _take(self, item_id: ItemId) -> Item:
        holder = self._holder(item_id)
        holder.log.append((ChangeKind.DELETED, item_id))
        return holder.items.pop(item_id)

    def _holder(self, item_id: ItemId) -> FakeFolder:
        return next(entry for entry in self.folders.values() if item_id in entry.items)

    def _new_id(self) -> ItemId:
        return ItemId(f"AAMk{next(self._numbers):08d}=={self.address}")

    def _new_key(self) -> str:
        return f"CQ{next(self._numbers)}"


@dataclass(frozen=True, slots=True)
class _Listing:
    """A first listing on its way: what the log held when it began, and the place of the item last told."""

    upto: int
    told: tuple[float, ItemId] | None


class FakeSource:
    """One worker's source of a mailbox. `fetched` counts the emails whose MIME was handed out."""

    def __init__(self, mailbox: FakeMailbox | None, *, page_size: int = 512) -> None:
        self.mailbox = mailbox
        self.page_size = page_size
        self.fetched = 0
        self.listed: list[FolderId] = []
        """Folders of which a listing was begun."""
        self.closed = False

    def check(self) -> None:
        self._meet("check")

    def folders(self, after: Cursor | None) -> FolderChanges:
        box = self._meet("folders")
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
        box = self._meet("fetch")
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
            box = self._meet("changes")
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
        """A page of what lies in the folder, newest first; the log of the meantime is told behind the last."""
        places = sorted((item.received.timestamp(), item.id) for item in entry.items.values() if item.listed)
        rest = [place for place in reversed(places) if listing.told is None or place < listing.told]
        page = rest[: self.page_size]
        listed = [self._change(entry, ChangeKind.CREATED, item_id) for _, item_id in page]
        if len(rest) <= self.page_size:
            return listed, self._cursor(entry.folder.id, listing.upto), listing.upto == len(entry.log)
        moment, item_id = page[-1]
        return listed, self._cursor(entry.folder.id, listing.upto, f"{moment} {item_id}"), False

    def _since(self, entry: FakeFolder, start: int) -> tuple[list[Change], Cursor, bool]:
        """A page of the log, each item once and as it is now."""
        end = min(start + self.page_size, len(entry.log))
        kinds: dict[ItemId, ChangeKind] = {}
        for kind, item_id in entry.log[start:end]:
            new = kinds.get(item_id) in (None, ChangeKind.READ) or kind is ChangeKind.DELETED
            kinds[item_id] = kind if new else kinds[item_id]
        changes = [
            self._change(entry, ChangeKind.UPDATED if kind is ChangeKind.DELETED else kind, item_id)
            if item_id in entry.items
            else self._left(entry, item_id)
            for item_id, kind in kinds.items()
        ]
        return changes, self._cursor(entry.folder.id, end), end >= len(entry.log)

    def _left(self, entry: FakeFolder, item_id: ItemId) -> Change:
        """What is told of an item that is not in this folder any more: that, or where it is now."""
        now = next((other for other in self._meet("").folders.values() if item_id in other.items), None)
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

    def _cursor(self, of: str, position: int, told: str = "") -> Cursor:
        box = self._meet("")
        return Cursor(f"{box.generation}|{of}|{position}|{told}.")

    def _place(self, folder: FolderId, cursor: Cursor | None) -> int | _Listing:
        """Where a cursor stands: in the log of the folder, or in a first listing of it."""
        if cursor is None:
            known = self._meet("").folders.get(folder)
            return _Listing(len(known.log) if known else 0, None)
        position = self._position(folder, cursor)
        told = str(cursor).split("|")[3].removesuffix(".")
        if not told:
            return position
        moment, _, item_id = told.partition(" ")
        return _Listing(position, (float(moment), ItemId(item_id)))

    def _position(self, of: str, cursor: Cursor | None) -> int:
        if cursor is None:
            return 0
        parts = str(cursor).split("|")
        box = self._meet("")
        if len(parts) != 4 or not parts[3].endswith(".") or parts[:2] != [str(box.generation), of]:
            raise CursorRefused
        return int(parts[2])

    def _meet(self, method: str) -> FakeMailbox:
        if self.mailbox is None:
            raise MailboxNotFound
        faults = self.mailbox.faults.get(method)
        if faults:
            raise faults.pop(0)
        return self.mailbox


__all__ = ["FakeMailbox", "FakeSource", "IntegrationError"]
