"""What goes wrong at Exchange and at Re:infer, drawn from a seed. All of it ends with `clear`."""

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
"""Cost as long as a request may take, and so are drawn seldom."""

FOLDER_CODES = ("ErrorAccessDenied", "ErrorAccessDenied", "ErrorItemNotFound", "ErrorFolderNotFound")
"""With which the reading of a folder is refused that is in the tree."""

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
    """`strikes()` lets one thing go wrong."""

    random: Random
    end: End
    reinfer: ReinferSimulator
    story: Story
    log: list[str] = field(default_factory=list)
    seconds: tuple[str, ...] = ()

    def strikes(self) -> None:
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
        """A mailbox that is refused until this trouble is over, whatever its neighbours are told."""
        effect, options = self.random.choice(self.end.refusals)
        mailbox = self.random.choice([box.address for box in self.story.store])
        self.end.server.faults.add(effect, mailbox=mailbox, **options)
        self.log.append(f"exchange {effect} {dict(options)} for {mailbox}")

    def of_one_email(self) -> None:
        """An email that Exchange cannot hand out, or that Re:infer refuses or falls over."""
        names = sorted(name for name, told in self.story.emails.items() if told.with_id)
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
        """A page that comes in its place: once, or until it is set aside, or for ever."""
        message_id = message_id_of(f"m{len(self.story.emails)}")
        kind, times = self.random.choice(pages.KINDS), self.random.choice([1, 3, None])
        self.end.hand_out(message_id, kind, times)
        self.log.append(f"{kind} in the place of {message_id} x{times}")

    def of_folders(self) -> None:
        """A right is taken away: of one folder, of some, or of all that a mailbox has."""
        box = self.random.choice(list(self.story.store))
        paths = sorted(box.path(one) for one in box.folders.values())
        for path in self.random.sample(paths, self.random.choice([1, 1, 1, 3, len(paths)])):
            code = self.random.choice(FOLDER_CODES)
            box.forbid_folder(path, code=code)
            self.log.append(f"exchange refuses {path} of {box.address} by {code}")

    def clear(self) -> None:
        for box in self.story.store:
            for folder in box.folders.values():
                folder.forbidden = False
        self.end.server.faults.clear()
        self.reinfer.faults.clear()

    def _drawn(self, effects: tuple[tuple[str, Mapping[str, Any]], ...]) -> tuple[str, Mapping[str, Any]]:
        effect = self.random.choice(effects)
        # Half of the slow ones are drawn again: the suite's time is better spent.
        return self.random.choice(effects) if effect[0] in SLOW and self.random.random() < 0.5 else effect
