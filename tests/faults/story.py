"""What happens in a few mailboxes, drawn from a seed, and what must be true of the bucket afterwards.

The store is the one of the Exchange simulator. The story is the only one that touches it, so it knows the truth: which
emails there ever were, where each of their copies lies, and every text that each ever had.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from simulators.exchange import mail_of
from simulators.exchange.store import Item, Mailbox, Store
from tests.mails import NOON, mail, message_id_of, received

SKIPPED = ("Drafts", "Outbox", "Junk Email", "Deleted Items", "Sync Issues", "Conversation History")
"""As the vendor's product skips them; written down here once more, so that the suite does not believe ours."""
NEVER_USED = ("Drafts", "Outbox", "Sync Issues", "Conversation History")
"""Folders in which nothing happens here. Without them a seed costs half, and its deaths come where something happens."""
FOLDERS = ("Inbox", "Inbox/Trades", "Sent Items", "Archive", "Deleted Items", "Junk Email")
ODD_FOLDERS = (
    ("Imported", "IPF.Imap", False),
    ("Bare", "IPF", False),
    ("Unclassed", "", False),
    ("Add-in", "IPF.Vendor.Add-in", False),
    ("Custom", "IPF.Note.Custom", False),
    ("Planner", "IPF.Appointment", False),
    ("Chats", "IPF.SkypeTeams.Message", False),
    ("Hidden", "IPF.Note", True),
)
"""Name, class and whether it is hidden."""
NO_MAIL = ("IPF.Appointment", "IPF.Contact", "IPF.Task", "IPF.SkypeTeams")
"""Classes of other things. Written down here once more, so that the suite does not believe the product."""
UNLISTED = "unlisted"
"""The name of what counts in a total and is not listed."""
ODD_BODIES = (
    "\x00\x07 control \x1b[0m",
    "½ ünïcödé 漢字 \U0001f4a3",
    "",
    "> only a quote\n> and more of it",
    "x" * 70_000,
)


@dataclass
class Told:
    """An email, wherever its copies lie."""

    name: str
    subjects: set[str]
    """Every subject that it had: an edit may change it."""
    ever_wanted: bool = False
    copies_deleted: bool = False
    with_id: bool = True
    received: bool = False
    """Its MIME has a Received header."""

    @property
    def message_id(self) -> str:
        return message_id_of(self.name)


@dataclass
class Story:
    """`happens()` lets one thing happen; `emails` is the truth."""

    random: Random
    store: Store
    now: datetime = NOON
    more_folders: int = 0
    """Beside those that every mailbox has."""
    odd_folders: bool = False
    """Whether some have folders of other classes, and hidden ones."""
    lists: tuple[str, ...] = ("",)
    """How the class of a folder begins that the server lists at all."""
    unreported: float = 0.0
    """How likely it is that no change report tells of an arrival, by delivery or by a move. Then some folders also hold items
    that count in their total and that nothing lists."""
    drafts: float = 0.2
    """How many arrive marked as a draft: imported mail keeps that mark, and so do drafts outside Drafts."""
    emails: dict[str, Told] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for box in self.store:
            box.create_folder("Inbox/Trades")
            box.create_folder("Archive")
            for path in NEVER_USED:
                box.delete_folder(path)
            for number in range(self.more_folders):
                box.create_folder(f"Desk {number}")
            if self.odd_folders and self.random.random() < 0.6:
                for name, folder_class, hidden in self.random.sample(ODD_FOLDERS, self.random.randint(1, 3)):
                    box.create_folder(name, folder_class, hidden=hidden)

    def begin(self, count: int) -> None:
        """The mail that lies there when the first sync begins."""
        for _ in range(count):
            self.arrives()

    def happens(self) -> None:
        """One thing, in one mailbox."""
        things = [self.arrives] * 5 + [self.moves] * 4 + [self.is_edited, self.is_deleted, self.is_read, self.is_copied]
        things += [
            self.is_sent,
            self.folder_is_renamed,
            self.folder_is_moved,
            self.folder_is_deleted,
            self.cursors_expire,
        ]
        if self.unreported:
            things.append(self.something_counts_that_is_not_listed)
        if self.random.random() < 0.02:
            things = [self.migrates]
        self.random.choice(things)()

    # ---- mail -----------------------------------------------------------------------------------------------------

    def arrives(self) -> None:
        """An email arrives in one mailbox, or in several at once."""
        name = f"m{len(self.emails)}"
        boxes = self._some_boxes()
        told = Told(name, {f"About {name}"}, with_id=self.random.random() > 0.06)
        told.received = self.random.random() < 0.5
        draft = self.random.random() < self.drafts
        self.emails[name] = told
        body = self.random.choice(ODD_BODIES) if self.random.random() < 0.15 else None
        mime = mail(
            name,
            body=body if body is None or "\x00" not in body else None,
            to=", ".join(box.address for box in boxes),
            message_id="" if told.with_id else None,
        )
        if body and "\x00" in body:
            mime += body.encode()
        mime = received(mime) if told.received else mime
        self.now += timedelta(seconds=self.random.choice([0, 0, 1, 40]))
        arrival = self.now - timedelta(days=3) if self.random.random() < 0.05 else self.now
        for box in boxes:
            path = self._folder(box, ("Inbox", "Inbox", "Inbox", "Inbox/Trades", "Junk Email"))
            what = replace(mail_of(mime), received=arrival, size=len(mime), draft=draft)
            self._arrived(told, box, box.deliver(what, path, reported=self._is_reported()))
        self._tell(f"{name} arrives in {len(boxes)}{', marked as a draft' * draft}{', received' * told.received}")

    def moves(self) -> None:
        found = self._any_item()
        if found is None:
            return
        box, item, told = found
        path = self._folder(box, FOLDERS)
        self._arrived(told, box, box.move(item.id, path, reported=self._is_reported()))
        self._tell(f"{told.name} moves to {path}")

    def is_copied(self) -> None:
        found = self._any_item()
        if found is None:
            return
        box, item, told = found
        path = self._folder(box, FOLDERS)
        self._arrived(told, box, box.copy(item.id, path))
        self._tell(f"{told.name} is copied to {path}")

    def is_edited(self) -> None:
        found = self._any_item()
        # Without a Message-ID the subject is part of who it is: another subject makes another email.
        if found is None or not found[2].with_id:
            return
        box, item, told = found
        subject = f"About {told.name}, edited {len(told.subjects)}"
        told.subjects.add(subject)
        mime = mail(told.name, subject=subject, body="This was written into it later.")
        mime = received(mime) if told.received else mime
        box.edit(item.id, replace(item.mail, mime=mime, size=len(mime), subject=subject))
        self._tell(f"{told.name} is edited")

    def is_sent(self) -> None:
        """A copy that is marked as a draft is so no longer."""
        drafts = [(box, item) for box in self.store for item in box.items() if item.mail.draft and self.drafts]
        if not drafts:
            return
        box, item = self.random.choice(sorted(drafts, key=lambda draft: draft[1].id))
        told = self.email_of(item)
        assert told is not None
        box.edit(item.id, replace(item.mail, draft=False))
        told.ever_wanted |= self.is_wanted(box, item)
        self._tell(f"{told.name} is sent")

    def is_read(self) -> None:
        found = self._any_item()
        if found is not None:
            found[0].mark_read(found[1].id)

    def is_deleted(self) -> None:
        found = self._any_item()
        if found is None:
            return
        box, item, told = found
        box.delete(item.id, hard=True)
        told.copies_deleted = True
        self._tell(f"{told.name} is deleted")

    def something_counts_that_is_not_listed(self) -> None:
        """In the total of a folder, and in nothing else."""
        box = self._box()
        path = self._folder(box, FOLDERS)
        box.deliver(mail_of(mail(UNLISTED)), path, listed=False)
        self._tell(f"something that is not listed counts in {path}")

    def _is_reported(self) -> bool:
        if not self.unreported or self.random.random() >= self.unreported:
            return True
        self._tell("the next arrival is not reported")
        return False

    # ---- folders --------------------------------------------------------------------------------------------------

    def folder_is_renamed(self) -> None:
        box, path = self._own_folder()
        if path:
            box.rename_folder(path, f"Renamed {len(self.log)}")
            self._tell(f"{path} is renamed")

    def folder_is_moved(self) -> None:
        box, path = self._own_folder()
        if path and "/" in path:
            box.move_folder(path, self.random.choice(["", "Sent Items"]))
            self._tell(f"{path} is moved")

    def folder_is_deleted(self) -> None:
        if self.random.random() < 0.5:
            return
        box, path = self._own_folder()
        if not path:
            return
        for told in self._of_folder(box, path):
            told.copies_deleted = True
        box.delete_folder(path)
        self._tell(f"{path} is deleted")
        if self.random.random() < 0.5 and "/" not in path:
            box.create_folder(path)

    def cursors_expire(self) -> None:
        self._box().expire_sync_states()
        self._tell("cursors expire")

    def migrates(self) -> None:
        self._box().migrate()
        self._tell("a mailbox migrates")

    # ---- the truth ------------------------------------------------------------------------------------------------

    def places(self, name: str) -> list[tuple[str, str]]:
        """Address and folder path of each copy, now."""
        return [
            (box.address, box.path(box.folders[item.folder_id]))
            for box in self.store
            for item in box.items()
            if (told := self.email_of(item)) is not None and told.name == name
        ]

    def must_arrive(self, name: str) -> bool:
        """Whether a copy of it is wanted, as it lies there now."""
        return any(
            self.is_wanted(box, item)
            for box in self.store
            for item in box.items()
            if (told := self.email_of(item)) is not None and told.name == name
        )

    def email_of(self, item: Item) -> Told | None:
        """By its Message-ID; by its subject where it has none."""
        name = item.mail.message_id.strip("<>").partition("@")[0] or item.mail.subject.removeprefix("About ")
        return self.emails.get(name)

    def wanted(self, address: str, path: str) -> bool:
        """Whether mail of this folder is, without any filter."""
        return wanted(path) and self._is_read(self.store[address], path)

    def _is_read(self, box: Mailbox, path: str) -> bool:
        folder = box.folder(path)
        is_mail = not folder.folder_class.startswith(NO_MAIL)
        return is_mail and not folder.hidden and folder.folder_class.startswith(self.lists)

    def is_wanted(self, box: Mailbox, item: Item) -> bool:
        """Whether this copy is an email, in a folder whose mail is wanted."""
        return not self._is_draft(item) and self.wanted(box.address, box.path(box.folders[item.folder_id]))

    def _is_draft(self, item: Item) -> bool:
        return item.mail.draft and b"Received:" not in item.mail.content()

    def _arrived(self, told: Told, box: Mailbox, item: Item) -> None:
        """A copy lies here now. Out of sight, it is as if it was deleted."""
        told.ever_wanted |= self.is_wanted(box, item)
        told.copies_deleted |= not self._is_read(box, box.path(box.folders[item.folder_id]))

    # ---- choosing -------------------------------------------------------------------------------------------------

    def _box(self) -> Mailbox:
        return self.random.choice(list(self.store))

    def _some_boxes(self) -> list[Mailbox]:
        boxes = list(self.store)
        count = 1 if self.random.random() < 0.65 else self.random.randint(1, len(boxes))
        return self.random.sample(boxes, count)

    def _folder(self, box: Mailbox, likely: tuple[str, ...]) -> str:
        paths = [path for path in likely if box._at(path) is not None]
        if (self.more_folders or self.odd_folders) and self.random.random() < 0.4:
            paths = [*paths[:1], *self._own_folders(box)]
        return self.random.choice(paths + self._own_folders(box)[:1])

    def _own_folders(self, box: Mailbox) -> list[str]:
        return sorted(box.path(folder) for folder in box.folders.values() if not folder.distinguished)

    def _own_folder(self) -> tuple[Mailbox, str]:
        box = self._box()
        paths = self._own_folders(box)
        return box, self.random.choice(paths) if paths else ""

    def _any_item(self) -> tuple[Mailbox, Item, Told] | None:
        box = self._box()
        items = sorted(box.items(), key=lambda item: item.id)
        if not items:
            return None
        item = self.random.choice(items)
        told = self.email_of(item)
        return (box, item, told) if told is not None else None

    def _of_folder(self, box: Mailbox, path: str) -> list[Told]:
        inside = [
            item
            for folder in box.folders.values()
            if (box.path(folder) + "/").startswith(path + "/")
            for item in folder.items.values()
        ]
        return [told for item in inside if (told := self.email_of(item)) is not None]

    def _tell(self, what: str) -> None:
        self.log.append(what)


def wanted(path: str) -> bool:
    """Whether mail of this folder is, without any filter."""
    return path.partition("/")[0] not in SKIPPED
