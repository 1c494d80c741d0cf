"""Random faults of Exchange and Re:infer. `clear` ends all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from simulators import pages
from simulators.reinfer import ReinferSimulator
from tests.faults.ends import End
from tests.faults.story import Story
from tests.mails import message_id_of

SLOW = {"hang", "drip", "taken-then-hang"}
"""Faults that take as long as the deadline of a request. They are chosen less often than other faults."""

FOLDER_CODES = ("ErrorAccessDenied", "ErrorAccessDenied", "ErrorItemNotFound", "ErrorFolderNotFound")
"""Codes with which Exchange refuses to read a folder that it lists in the folder tree."""

AT_REINFER: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("busy", {"retry_after": 7}),
    ("busy", {}),
    ("failure", {"status": 500}),
    ("failure", {"status": 409}),
    ("failure", {"status": 503}),
    ("bad-gateway", {}),
    ("drop", {}),
    ("taken-then-dropped", {}),
    ("taken-then-dropped", {}),
    ("cut", {"at": 12}),
    ("error-as-ok", {}),
    ("ok-as-error", {}),
    ("empty", {}),
    ("garbage", {}),
    ("redirect", {}),
    ("quota", {}),
    ("token-revoked", {}),
    ("forbidden", {}),
    ("hang", {"seconds": 30}),
    ("taken-then-hang", {"seconds": 30}),
    ("drip", {"rate": 5}),
    ("uncounted", {}),
    ("miscounted", {"by": -1}),
    ("miscounted", {"by": 3}),
    ("loses-one", {}),
    ("loses-one", {}),
    ("loses-one", {"at": 1}),
    ("loses-one", {"counted": "no"}),
)


@dataclass
class Trouble:
    """`applies()` begins one random fault."""

    random: Random
    end: End
    reinfer: ReinferSimulator
    story: Story
    log: list[str] = field(default_factory=list)
    seconds: tuple[str, ...] = ()

    def applies(self) -> None:
        troubles = [self.at_exchange, self.at_exchange, self.at_reinfer, self.at_reinfer]
        troubles += [self.of_one_email, self.of_the_next_email, self.of_the_next_email]
        troubles += [self.of_folders, self.of_folders, self.of_one_mailbox]
        self.random.choice(troubles)()

    def at_exchange(self) -> None:
        effect, options = self._drawn(self.end.effects)
        mailbox = self.random.choice(["*", *(box.address for box in self.story.store)])
        operation = self.random.choice(["*", *self.end.reads])
        times = 1 if effect in SLOW else self.random.choice([1, 1, 2, 5])
        after = self.random.choice([0, 0, 1, 3, 8])
        self.end.server.faults.add(effect, operation=operation, mailbox=mailbox, times=times, after=after, **options)
        self.log.append(f"exchange {effect} {dict(options)} at {operation} x{times} after {after}")

    def at_reinfer(self) -> None:
        effect, options = self._drawn(AT_REINFER)
        operation = self.random.choice(["sync", "sync", "sync", "*"])
        times = 1 if effect in SLOW else self.random.choice([1, 1, 2, 5])
        after = self.random.choice([0, 0, 1, 3])
        self.reinfer.faults.add(effect, operation=operation, times=times, after=after, **options)
        self.log.append(f"reinfer {effect} {dict(options)} at {operation} x{times} after {after}")

    def of_one_mailbox(self) -> None:
        """One mailbox is refused until `clear`; the others are not affected."""
        effect, options = self.random.choice(self.end.refusals)
        mailbox = self.random.choice([box.address for box in self.story.store])
        self.end.server.faults.add(effect, mailbox=mailbox, **options)
        self.log.append(f"exchange {effect} {dict(options)} for {mailbox}")

    def of_one_email(self) -> None:
        """One email cannot be fetched from Exchange, is refused by Re:infer, or causes a server error of Re:infer."""
        names = sorted(name for name, email in self.story.emails.items() if email.with_id)
        if not names:
            return
        message_id = self.story.emails[self.random.choice(names)].message_id
        if self.random.random() < 0.5:
            code = self.random.choice(self.end.item_codes)
            self.end.spoil(message_id, code)
            self.log.append(f"exchange {code} for {message_id}")
            return
        status = self.random.choice([422, 400, 413, 500])
        comment_id = message_id.encode().hex()
        self.reinfer.faults.add("failure", operation="sync", comment_id=comment_id, status=status)
        self.log.append(f"reinfer {status} for {message_id}")

    def of_the_next_email(self) -> None:
        """Exchange returns another body instead of the next email: once, three times or always.

        After three times, the email is a dead letter.
        """
        message_id = message_id_of(f"m{len(self.story.emails)}")
        kind, times = self.random.choice(pages.KINDS), self.random.choice([1, 3, None])
        self.end.hand_out(message_id, kind, times)
        self.log.append(f"{kind} in the place of {message_id} x{times}")

    def of_folders(self) -> None:
        """The right to read is removed from one, some or all folders of a mailbox."""
        box = self.random.choice(list(self.story.store))
        paths = sorted(box.path(one) for one in box.folders.values())
        for path in self.random.sample(paths, self.random.choice([1, 1, 1, 3, len(paths)])):
            code = self.random.choice(FOLDER_CODES)
            box.forbid_folder(path, code=code)
            self.log.append(f"exchange refuses {path} of {box.address} with {code}")

    def clear(self) -> None:
        for box in self.story.store:
            for folder in box.folders.values():
                folder.forbidden = False
        self.end.server.faults.clear()
        self.reinfer.faults.clear()

    def _drawn(self, effects: tuple[tuple[str, Mapping[str, Any]], ...]) -> tuple[str, Mapping[str, Any]]:
        effect = self.random.choice(effects)
        # To save time, choose again in half of the cases in which the fault is slow.
        return self.random.choice(effects) if effect[0] in SLOW and self.random.random() < 0.5 else effect
