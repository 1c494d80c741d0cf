"""The mail store, in memory: mailboxes with folders and items, and logs of the changes. Thread-safe."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

DISTINGUISHED = {
    "inbox": "Inbox",
    "sentitems": "Sent Items",
    "drafts": "Drafts",
    "outbox": "Outbox",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "conversationhistory": "Conversation History",
    "syncissues": "Sync Issues",
    "calendar": "Calendar",
    "contacts": "Contacts",
    "tasks": "Tasks",
}
BELOW_SYNC_ISSUES = {"conflicts": "Conflicts", "localfailures": "Local Failures", "serverfailures": "Server Failures"}
PREFIX = re.compile(r"\A[^:\d ]{1,3}: *")
NON_IPM = (
    ("Common Views", "", "", False),
    ("Deferred Action", "", "", False),
    ("Finder", "", "", False),
    ("AllItems", "Finder", "IPF", True),
    ("Freebusy Data", "", "", False),
    ("Recoverable Items", "", "", False),
    ("Deletions", "Recoverable Items", "", False),
    ("Reminders", "", "Outlook.Reminder", True),
    ("System", "", "", False),
)
"""Folders below the root of the store that are not mail folders of users: name, parent, class, is a search folder."""
CLASSES = {"calendar": "IPF.Appointment", "contacts": "IPF.Contact", "tasks": "IPF.Task"}


@dataclass
class Mail:
    """An email, independent of its folder. `mime` may be a function, so that large mailboxes need little memory."""

    mime: bytes | Callable[[], bytes]
    size: int
    message_id: str = ""
    """The Message-ID with angle brackets, as Exchange returns it."""
    subject: str = ""
    received: datetime | None = None
    item_class: str = "IPM.Note"
    draft: bool = False
    importance: str = "Normal"
    sensitivity: str = "Normal"
    categories: tuple[str, ...] = ()
    has_attachments: bool = False

    @property
    def topic(self) -> str:
        """The topic of the conversation: the subject without a prefix such as `Re: ` ([MS-OXCMAIL] 2.2.3.2.6.1)."""
        return PREFIX.sub("", self.subject)

    def content(self) -> bytes:
        return self.mime() if callable(self.mime) else self.mime


@dataclass
class Item:
    id: str
    change_key: str
    mail: Mail
    folder_id: str
    created: int
    """The length of the folder's log just after the arrival of the item."""
    immutable_id: str
    """The id that remains when the item is moved within its mailbox. Only Graph uses immutable ids."""
    read: bool = False
    modified: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    listed: bool = True
    """False: the item counts in the total of its folder, but neither change reports nor lists of Graph contain it."""

    @property
    def received(self) -> datetime:
        return self.mail.received or datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Folder:
    id: str
    name: str
    parent_id: str
    distinguished: str = ""
    folder_class: str = "IPF.Note"
    created: int = 0
    items: dict[str, Item] = field(default_factory=dict)
    forbidden: bool = False
    """True: the account sees the folder in the tree, but may not read its items."""
    denied_as: str = "ErrorAccessDenied"
    """The error code of a refused read. Microsoft documents that "not found" codes are possible, too."""
    hidden: bool = False
    """PR_ATTR_HIDDEN: mail clients do not show the folder to users."""
    search: bool = False
    log: list[tuple[str, str]] = field(default_factory=list)
    """(`change` | `read` | `gone`, item id), oldest first."""
    listings: int = 0
    """How often the folder was listed from the beginning."""


class Mailbox:
    """One mailbox. The methods that change a mailbox are actions of users, of mail delivery or of administrators."""

    def __init__(self, address: str, names: dict[str, str] | None = None) -> None:
        self.address = address
        self.server = ""
        """The build of the server with the mailbox; blank: the build of the front-end server."""
        self.lock = threading.RLock()
        self.generation = 1
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.folders: dict[str, Folder] = {}
        self.tree_log: list[str] = []
        self._numbers = itertools.count(1)
        self._where: dict[str, str] = {}
        self._immutable: dict[str, str] = {}
        self._latest: dict[str, str] = {}
        names = {**DISTINGUISHED, **BELOW_SYNC_ISSUES, **(names or {})}
        self.root = Folder(self._id("AQMk"), "Top of Information Store", "", "msgfolderroot")
        self._make_store_root()
        for distinguished in DISTINGUISHED:
            self._make(names[distinguished], self.root.id, distinguished, CLASSES.get(distinguished, "IPF.Note"))
        issues = self.distinguished("syncissues").id
        for distinguished in BELOW_SYNC_ISSUES:
            self._make(names[distinguished], issues, distinguished, "IPF.Note")

    # ---- folders --------------------------------------------------------------------------------------------------

    def create_folder(self, path: str, folder_class: str = "IPF.Note", *, hidden: bool = False) -> Folder:
        """Create the folder with a path such as `Inbox/Trades`. Its parent must exist. Returns an existing folder unchanged."""
        with self.lock:
            parent, _, name = path.rpartition("/")
            known = self._at(path)
            if known:
                return known
            made = self._make(name, self.folder(parent).id if parent else self.root.id, "", folder_class)
            made.hidden = hidden
            return made

    def hide_folder(self, path: str, *, hidden: bool = True) -> None:
        """Hide the folder from the mail clients of users, or show it again."""
        with self.lock:
            folder = self.folder(path)
            folder.hidden = hidden
            self.tree_log.append(folder.id)

    def rename_folder(self, path: str, name: str) -> None:
        with self.lock:
            folder = self.folder(path)
            folder.name = name
            self.tree_log.append(folder.id)

    def move_folder(self, path: str, parent: str) -> None:
        with self.lock:
            folder = self.folder(path)
            folder.parent_id = self.folder(parent).id if parent else self.root.id
            self.tree_log.append(folder.id)

    def delete_folder(self, path: str) -> None:
        """Delete the folder and its subfolders, with their mail."""
        with self.lock:
            self._drop(self.folder(path))

    def forbid_folder(self, path: str, *, forbidden: bool = True, code: str = "ErrorAccessDenied") -> None:
        """Remove the right to read this folder, or restore this right.

        Parent and subfolders are not affected. The folder remains visible in the tree, as if the account had only the right
        FolderVisible. `code`: the error code of a refused read.
        """
        with self.lock:
            folder = self.folder(path)
            folder.forbidden, folder.denied_as = forbidden, code

    def folder(self, path: str) -> Folder:
        """The folder with this path. Raises `KeyError`."""
        with self.lock:
            found = self._at(path)
        if found is None:
            raise KeyError(f"{self.address} has no folder {path}")
        return found

    def distinguished(self, name: str) -> Folder:
        """The folder with this distinguished id. Raises `KeyError`."""
        tops = {"msgfolderroot": self.root, "root": self.store_root}
        found = tops.get(name) or self.named(name)
        if found is None:
            raise KeyError(f"{self.address} has no {name}")
        return found

    def named(self, distinguished: str) -> Folder | None:
        with self.lock:
            return next((folder for folder in self.folders.values() if folder.distinguished == distinguished), None)

    def holds(self, any_id: str) -> bool:
        """Whether a folder or an item of this mailbox has this id."""
        with self.lock:
            return self.by_id(any_id) is not None or any_id in self._where

    def by_id(self, folder_id: str) -> Folder | None:
        """The folder with this id, which can be outside the mail folders of users; None if there is no such folder."""
        with self.lock:
            others = (one for one in (self.store_root, *self.non_ipm, self.root) if one.id == folder_id)
            return self.folders.get(folder_id) or next(others, None)

    def whole_tree(self) -> list[Folder]:
        """All folders: the root of the store and everything below it."""
        return [self.store_root, *self.non_ipm, self.root, *self.folders.values()]

    def is_below(self, folder: Folder, top: Folder) -> bool:
        """Whether `folder` is a subfolder of `top`, at any depth."""
        parent = self.by_id(folder.parent_id)
        while parent is not None and parent is not top:
            parent = self.by_id(parent.parent_id)
        return parent is top

    def path(self, folder: Folder) -> str:
        names = [folder.name]
        while folder.parent_id != self.root.id:
            folder = self.folders[folder.parent_id]
            names.append(folder.name)
        return "/".join(reversed(names))

    # ---- items ----------------------------------------------------------------------------------------------------

    def deliver(self, mail: Mail, path: str = "Inbox", *, reported: bool = True, listed: bool = True) -> Item:
        """Deliver an email to the folder with this path.

        Args:
            reported: False: no change report contains the arrival of the email, but a new listing contains the email. Users
                of Exchange observed such emails.
            listed: False: no change report and no list of Graph contains the email, but the total of the folder includes the
                email. This is how Exchange treats an item that the account may not read.
        """
        with self.lock:
            return self._put(mail, self.folder(path), reported=reported and listed, listed=listed)

    def move(self, item_id: str, path: str, *, reported: bool = True) -> Item:
        """Move an item.

        The moved item has a new item id, as in Exchange. `reported` False: no change report contains its arrival.
        """
        with self.lock:
            target = self.folder(path)
            item = self._take(item_id)
            return self._put(item.mail, target, read=item.read, immutable_id=item.immutable_id, reported=reported)

    def copy(self, item_id: str, path: str) -> Item:
        with self.lock:
            return self._put(self.item(item_id).mail, self.folder(path))

    def edit(self, item_id: str, mail: Mail) -> Item:
        with self.lock:
            item = self.item(item_id)
            item.mail, item.change_key, item.modified = mail, self._key(), self.clock()
            self.folders[item.folder_id].log.append(("change", item.id))
            return item

    def mark_read(self, item_id: str, read: bool = True) -> None:
        with self.lock:
            item = self.item(item_id)
            item.read, item.change_key, item.modified = read, self._key(), self.clock()
            self.folders[item.folder_id].log.append(("read", item.id))

    def delete(self, item_id: str, *, hard: bool = False) -> None:
        with self.lock:
            bin_ = self.distinguished("deleteditems")
            if hard or self._where[item_id] == bin_.id:
                self._take(item_id)
            else:
                self.move(item_id, self.path(bin_))

    def item(self, item_id: str) -> Item:
        """The item with this id. Raises `KeyError`."""
        return self.folders[self._where[item_id]].items[item_id]

    def immutable_id(self, item_id: str) -> str:
        """The immutable id of an item, which can be a deleted item. Raises `KeyError` for an unknown id."""
        return self._immutable[item_id]

    def find_immutable(self, immutable_id: str) -> Item | None:
        """The item with this immutable id, in its current folder; None if the item was deleted or never existed."""
        with self.lock:
            item_id = self._latest.get(immutable_id)
            return self.item(item_id) if item_id in self._where else None

    def was_moved(self, item: Item) -> bool:
        """Whether the item was moved from another folder of this mailbox."""
        return item.immutable_id != _immutable(item.id)

    def items(self) -> Iterable[Item]:
        with self.lock:
            return [item for folder in self.folders.values() for item in folder.items.values()]

    def find(self, message_id: str) -> list[Item]:
        return [item for item in self.items() if item.mail.message_id == message_id]

    def migrate(self) -> None:
        """Move the mailbox to another server: all ids are new, all sync states are invalid, the mail is unchanged."""
        with self.lock:
            self.generation += 1
            folders = list(self.folders.values())
            tops = [self.store_root, *self.non_ipm, self.root]
            renamed = {folder.id: self._id("AQMk") for folder in [*folders, *tops]}
            for top in tops:
                top.id, top.parent_id = renamed[top.id], renamed.get(top.parent_id, "")
            self.folders, self.tree_log, self._where = {}, [], {}
            for folder in folders:
                items = list(folder.items.values())
                folder.id, folder.parent_id = renamed[folder.id], renamed[folder.parent_id]
                folder.items, folder.log, folder.created = {}, [], len(self.tree_log) + 1
                self.folders[folder.id] = folder
                self.tree_log.append(folder.id)
                for item in items:
                    self._put(item.mail, folder, read=item.read, reported=item.listed, listed=item.listed)

    def expire_sync_states(self) -> None:
        with self.lock:
            self.generation += 1

    # ---- internals ------------------------------------------------------------------------------------------------

    def _make_store_root(self) -> None:
        """Create the root of the store, and the folders below it that are not mail folders of users."""
        self.store_root = Folder(self._id("AQMk"), "Root", "", "root", "")
        self.root.parent_id, self.root.folder_class = self.store_root.id, ""
        self.non_ipm: list[Folder] = []
        for name, parent, folder_class, search in NON_IPM:
            above = next((one for one in self.non_ipm if one.name == parent), self.store_root)
            made = Folder(self._id("AQMk"), name, above.id, folder_class=folder_class, search=search)
            self.non_ipm.append(made)

    def _make(self, name: str, parent_id: str, distinguished: str, folder_class: str) -> Folder:
        folder = Folder(self._id("AQMk"), name, parent_id, distinguished, folder_class, len(self.tree_log) + 1)
        self.folders[folder.id] = folder
        self.tree_log.append(folder.id)
        return folder

    def _at(self, path: str) -> Folder | None:
        return next((folder for folder in self.folders.values() if self.path(folder) == path), None)

    def _drop(self, folder: Folder) -> None:
        for child in [child for child in self.folders.values() if child.parent_id == folder.id]:
            self._drop(child)
        del self.folders[folder.id]
        for item_id in folder.items:
            del self._where[item_id]
        self.tree_log.append(folder.id)

    def _put(
        self,
        mail: Mail,
        folder: Folder,
        *,
        read: bool = False,
        immutable_id: str = "",
        reported: bool = True,
        listed: bool = True,
    ) -> Item:
        item_id = self._id("AAMk")
        immutable_id = immutable_id or _immutable(item_id)
        created = len(folder.log) + reported
        item = Item(item_id, self._key(), mail, folder.id, created, immutable_id, read, self.clock(), listed)
        folder.items[item.id] = item
        if reported:
            folder.log.append(("change", item.id))
        self._where[item.id] = folder.id
        self._immutable[item.id], self._latest[immutable_id] = immutable_id, item.id
        return item

    def _take(self, item_id: str) -> Item:
        folder = self.folders[self._where.pop(item_id)]
        folder.log.append(("gone", item_id))
        return folder.items.pop(item_id)

    def _id(self, prefix: str) -> str:
        """A new id, which has 144 characters and is case-sensitive, like the ids of Exchange."""
        digest = hashlib.sha512(f"{self.address}/{next(self._numbers)}".encode()).digest()
        return prefix + base64.b64encode(digest + digest[:41]).decode()

    def _key(self) -> str:
        digest = hashlib.sha256(f"{self.address}/key/{next(self._numbers)}".encode()).digest()
        return "CQAAABYA" + base64.b64encode(digest[:18]).decode()


def _immutable(item_id: str) -> str:
    return "AAkALgAA" + base64.b64encode(hashlib.sha512(item_id.encode()).digest() + b"\0" * 20).decode()


class Store:
    """All mailboxes by address. The case of an address does not matter."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        self._mailboxes: dict[str, Mailbox] = {}
        for address in addresses:
            self.add(address)

    def add(self, address: str, names: dict[str, str] | None = None) -> Mailbox:
        return self._mailboxes.setdefault(address.casefold(), Mailbox(address, names))

    def get(self, address: str) -> Mailbox | None:
        return self._mailboxes.get(address.casefold())

    def __getitem__(self, address: str) -> Mailbox:
        return self._mailboxes[address.casefold()]

    def __iter__(self) -> Iterator[Mailbox]:
        return iter(list(self._mailboxes.values()))
