"""Random events in a few mailboxes, and the expected content of the bucket afterwards.

The mailboxes are in the store of the simulated Exchange or Graph, and only the story changes their mail. So the story knows all
emails that ever existed, the folder of each mailbox item, and every subject that each email ever had.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from simulators.exchange import mail_of
from simulators.exchange.store import Item, Mailbox, Store
from tests.mails import NOON, mail, message_id_of, received

SKIPPED = ("Drafts", "Outbox", "Junk Email", "Deleted Items", "Sync Issues", "Conversation History")
"""Folders whose mail is not wanted. The product has its own list. The tests do not use it, so that they can find its errors."""
NEVER_USED = ("Drafts", "Outbox", "Sync Issues", "Conversation History")
"""Default folders that are deleted from the store. Without them, a seed takes half the time, and
faults of folders hit folders that contain mail."""
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
"""Name and class of a folder, and whether the folder is hidden."""
NO_MAIL = ("IPF.Appointment", "IPF.Contact", "IPF.Task", "IPF.SkypeTeams")
"""Beginnings of the folder classes that are not for mail. As for `SKIPPED`, the tests do not use the list of the product."""
UNLISTED = "unlisted"
"""Name of items that count in the total of a folder but are not listed."""
ODD_BODIES = (
    "\x00\x07 control \x1b[0m",
    "½ ünïcödé 漢字 \U0001f4a3",
    "",
    "> only a quote\n> and more of it",
    "x" * 70_000,
)


@dataclass
class StoryEmail:
    """An email with all its mailbox items."""

    name: str
    subjects: set[str]
    """Every subject that the email had. An edit can change the subject."""
    ever_wanted: bool = False
    copies_deleted: bool = False
    with_id: bool = True
    received: bool = False
    """Whether the MIME of the email has a Received header."""

    @property
    def message_id(self) -> str:
        return message_id_of(self.name)


@dataclass
class Story:
    """`happens()` lets one random event happen; `emails` has all emails by name."""

    random: Random
    store: Store
    now: datetime = NOON
    more_folders: int = 0
    """Number of additional folders of each mailbox."""
    odd_folders: bool = False
    """Whether some mailboxes have hidden folders and folders of other classes."""
    lists: tuple[str, ...] = ("",)
    """Beginnings of the folder classes that the server lists."""
    unreported: float = 0.0
    """Probability that a new or moved email is missing in all change reports. If the probability is not 0, some folders
    also have items that count in the total but are not listed."""
    drafts: float = 0.2
    """Fraction of the emails that arrive with the mark of a draft, like imported mail and drafts outside of Drafts."""
    emails: dict[str, StoryEmail] = field(default_factory=dict)
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
        """Create the mail that exists before the first sync."""
        for _ in range(count):
            self.arrives()

    def happens(self) -> None:
        """Let one random event happen in one mailbox."""
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
        email = StoryEmail(name, {f"About {name}"}, with_id=self.random.random() > 0.06)
        email.received = self.random.random() < 0.5
        draft = self.random.random() < self.drafts
        self.emails[name] = email
        body = self.random.choice(ODD_BODIES) if self.random.random() < 0.15 else None
        mime = mail(
            name,
            body=body if body is None or "\x00" not in body else None,
            to=", ".join(box.address for box in boxes),
            message_id="" if email.with_id else None,
        )
        if body and "\x00" in body:
            mime += body.encode()
        mime = received(mime) if email.received else mime
        self.now += timedelta(seconds=self.random.choice([0, 0, 1, 40]))
        arrival = self.now - timedelta(days=3) if self.random.random() < 0.05 else self.now
        for box in boxes:
            path = self._folder(box, ("Inbox", "Inbox", "Inbox", "Inbox/Trades", "Junk Email"))
            what = replace(mail_of(mime), received=arrival, size=len(mime), draft=draft)
            self._arrived(email, box, box.deliver(what, path, reported=self._is_reported()))
        self._record(f"{name} arrives in {len(boxes)}{', marked as a draft' * draft}{', received' * email.received}")

    def moves(self) -> None:
        choice = self._any_item()
        if choice is None:
            return
        box, item, email = choice
        path = self._folder(box, FOLDERS)
        self._arrived(email, box, box.move(item.id, path, reported=self._is_reported()))
        self._record(f"{email.name} moves to {path}")

    def is_copied(self) -> None:
        choice = self._any_item()
        if choice is None:
            return
        box, item, email = choice
        path = self._folder(box, FOLDERS)
        self._arrived(email, box, box.copy(item.id, path))
        self._record(f"{email.name} is copied to {path}")

    def is_edited(self) -> None:
        choice = self._any_item()
        # Without a Message-ID, the comment id depends on the subject. So another subject would make another comment.
        if choice is None or not choice[2].with_id:
            return
        box, item, email = choice
        subject = f"About {email.name}, edited {len(email.subjects)}"
        email.subjects.add(subject)
        mime = mail(email.name, subject=subject, body="This was written into it later.")
        mime = received(mime) if email.received else mime
        box.edit(item.id, replace(item.mail, mime=mime, size=len(mime), subject=subject))
        self._record(f"{email.name} is edited")

    def is_sent(self) -> None:
        """The mark of a draft is removed from a mailbox item."""
        drafts = [(box, item) for box in self.store for item in box.items() if item.mail.draft and self.drafts]
        if not drafts:
            return
        box, item = self.random.choice(sorted(drafts, key=lambda draft: draft[1].id))
        email = self.email_of(item)
        assert email is not None
        box.edit(item.id, replace(item.mail, draft=False))
        email.ever_wanted |= self.is_wanted(box, item)
        self._record(f"{email.name} is sent")

    def is_read(self) -> None:
        choice = self._any_item()
        if choice is not None:
            choice[0].mark_read(choice[1].id)

    def is_deleted(self) -> None:
        choice = self._any_item()
        if choice is None:
            return
        box, item, email = choice
        box.delete(item.id, hard=True)
        email.copies_deleted = True
        self._record(f"{email.name} is deleted")

    def something_counts_that_is_not_listed(self) -> None:
        """An item appears in the total of a folder, but not in its list or changes."""
        box = self._box()
        path = self._folder(box, FOLDERS)
        box.deliver(mail_of(mail(UNLISTED)), path, listed=False)
        self._record(f"something that is not listed counts in {path}")

    def _is_reported(self) -> bool:
        if not self.unreported or self.random.random() >= self.unreported:
            return True
        self._record("the next arrival is not reported")
        return False

    # ---- folders --------------------------------------------------------------------------------------------------

    def folder_is_renamed(self) -> None:
        box, path = self._own_folder()
        if path:
            box.rename_folder(path, f"Renamed {len(self.log)}")
            self._record(f"{path} is renamed")

    def folder_is_moved(self) -> None:
        box, path = self._own_folder()
        if path and "/" in path:
            box.move_folder(path, self.random.choice(["", "Sent Items"]))
            self._record(f"{path} is moved")

    def folder_is_deleted(self) -> None:
        if self.random.random() < 0.5:
            return
        box, path = self._own_folder()
        if not path:
            return
        for email in self._of_folder(box, path):
            email.copies_deleted = True
        box.delete_folder(path)
        self._record(f"{path} is deleted")
        if self.random.random() < 0.5 and "/" not in path:
            box.create_folder(path)

    def cursors_expire(self) -> None:
        self._box().expire_sync_states()
        self._record("cursors expire")

    def migrates(self) -> None:
        self._box().migrate()
        self._record("a mailbox migrates")

    # ---- the expected result --------------------------------------------------------------------------------------

    def places(self, name: str) -> list[tuple[str, str]]:
        """Return address and folder path of each current mailbox item of an email."""
        return [
            (box.address, box.path(box.folders[item.folder_id]))
            for box in self.store
            for item in box.items()
            if (email := self.email_of(item)) is not None and email.name == name
        ]

    def must_arrive(self, name: str) -> bool:
        """Return whether at least one current mailbox item of an email is wanted."""
        return any(
            self.is_wanted(box, item)
            for box in self.store
            for item in box.items()
            if (email := self.email_of(item)) is not None and email.name == name
        )

    def email_of(self, item: Item) -> StoryEmail | None:
        """Find the email of an item by its Message-ID or, without a Message-ID, by its subject."""
        name = item.mail.message_id.strip("<>").partition("@")[0] or item.mail.subject.removeprefix("About ")
        return self.emails.get(name)

    def wanted(self, address: str, path: str) -> bool:
        """Return whether mail of a folder is wanted, if the mailbox has no filter."""
        return wanted(path) and self._is_read(self.store[address], path)

    def _is_read(self, box: Mailbox, path: str) -> bool:
        folder = box.folder(path)
        is_mail = not folder.folder_class.startswith(NO_MAIL)
        return is_mail and not folder.hidden and folder.folder_class.startswith(self.lists)

    def is_wanted(self, box: Mailbox, item: Item) -> bool:
        """Return whether an item is not a draft and is in a folder whose mail is wanted."""
        return not self._is_draft(item) and self.wanted(box.address, box.path(box.folders[item.folder_id]))

    def _is_draft(self, item: Item) -> bool:
        return item.mail.draft and b"Received:" not in item.mail.content()

    def _arrived(self, email: StoryEmail, box: Mailbox, item: Item) -> None:
        """Record a new item of an email. In a folder that is not read, the item counts as deleted."""
        email.ever_wanted |= self.is_wanted(box, item)
        email.copies_deleted |= not self._is_read(box, box.path(box.folders[item.folder_id]))

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

    def _any_item(self) -> tuple[Mailbox, Item, StoryEmail] | None:
        box = self._box()
        items = sorted(box.items(), key=lambda item: item.id)
        if not items:
            return None
        item = self.random.choice(items)
        email = self.email_of(item)
        return (box, item, email) if email is not None else None

    def _of_folder(self, box: Mailbox, path: str) -> list[StoryEmail]:
        inside = [
            item
            for folder in box.folders.values()
            if (box.path(folder) + "/").startswith(path + "/")
            for item in folder.items.values()
        ]
        return [email for item in inside if (email := self.email_of(item)) is not None]

    def _record(self, what: str) -> None:
        self.log.append(what)


def wanted(path: str) -> bool:
    """Return whether mail of a folder is wanted by the default rules for folder names."""
    return path.partition("/")[0] not in SKIPPED
