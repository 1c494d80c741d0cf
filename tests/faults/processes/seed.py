"""One seed of the second kind: the installed product over real sockets, and everything around it breaks.

Mailboxes live as in the first kind, and Exchange and Re:infer misbehave as there. What is added is all that only real processes
know: killed, stopped and filled up, at a request that the seed drew. Afterwards nobody helps: it has to come back by itself,
unless somebody mistyped a password, or Exchange or Re:infer refused for a while, which may ask for an admin.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from simulators.exchange import Store
from simulators.reinfer import DEFAULT_TOKEN
from tests.faults.ends import EwsEnd
from tests.faults.oracle import complaints
from tests.faults.processes.admin import Admin
from tests.faults.processes.breakage import Breakage
from tests.faults.processes.leaks import Held, leaks
from tests.faults.processes.moments import await_moment
from tests.faults.processes.stack import PASSWORD, SHORT, Stack
from tests.faults.story import Story
from tests.faults.trouble import Trouble

WELL_WITHIN = 90.0
"""Seconds after the last fault, on a machine that has other things to do: two delays after failures, and some syncs."""
CONTENT = ("Could you look at", "About m", "This was written into it later", "only a quote")


@dataclass
class Seed:
    """`run()` lives the life of one seed and returns what is not as it must be."""

    number: int
    stack: Stack
    held: dict[str, Held] = field(default_factory=dict)
    """By the stack, when it has nothing to do."""
    log: list[str] = field(default_factory=list)
    acted: bool = False
    """Whether an admin has to help at the end."""
    righted: bool = False
    """Whether the clocks that were turned are right again."""

    def run(self) -> list[str]:
        self.random = Random(self.number)
        self._begin()
        try:
            self._live()
            self._recover()
            return [*self._ends(), *self._settled(), *self.breakage.wrong, *self._leaks(), *self._logs()]
        finally:
            self._leaves_nothing()

    def warm_up(self) -> None:
        """A life in which nothing breaks: every process has then done once what it does, and holds what it keeps."""
        self.random = Random(self.number)
        self._begin()
        self._recover()
        found = list(self._ends())
        self._leaves_nothing()
        assert not found, "\n".join(["nothing broke, and yet:", *found, self.told()])

    # ---- the life -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.began = time.monotonic()
        addresses = [f"desk{n}@seed{self.number}.example" for n in range(self.random.randint(2, 3))]
        stack = self.stack
        stack.exchange.faults.clear()
        stack.reinfer.faults.clear()
        stack.exchange.requests.clear()
        stack.reinfer.requests.clear()
        stack.exchange.store = Store(addresses)
        unique = f"{self.number}-{time.time_ns() % 10**9}"
        self.admin = Admin(stack, unique, addresses)
        stack.reinfer.store.create(*self.admin.bucket)
        self.story = Story(self.random, stack.exchange.store)
        self.trouble = Trouble(self.random, EwsEnd(stack.exchange), stack.reinfer, self.story)
        self.breakage = Breakage(self.random, stack, self.admin, self._mail_moves)
        self.marks = {path: path.stat().st_size for path in self._log_files()}
        self.story.begin(self.random.randint(6, 14))
        self.admin.begin()

    def _live(self) -> None:
        with_trouble = self.random.random() < 0.5
        for _ in range(self.random.randint(3, 4)):
            self._mail_moves()
            if with_trouble and self.random.random() < 0.6:
                self.acted = True
                self.trouble.strikes()
            if self.random.random() < 0.25:
                self._admin_acts()
            moment = await_moment(self.random, self.stack.exchange, self.stack.reinfer)
            self._tell(f"breaks at {moment}, after {len(self.story.log)} happenings")
            self.breakage.strikes()
            self._tell(f"was: {self.breakage.log[-1]}")

    def _mail_moves(self) -> None:
        for _ in range(self.random.randint(1, 5)):
            self.story.happens()

    # ---- the admin ----------------------------------------------------------------------------------------------------

    def _admin_acts(self) -> None:
        acts = [
            self._stops_and_starts, self._mistypes_the_password, self._deletes_a_mailbox, self._deletes_the_integration,
            self._lists_again,
        ]  # fmt: skip
        act = self.random.choice(acts)
        self._tell(f"admin: {act.__name__.strip('_')}")
        await_moment(self.random, self.stack.exchange, self.stack.reinfer)
        act()

    def _stops_and_starts(self) -> None:
        self.admin.stop()
        self.admin.start()

    def _lists_again(self) -> None:
        self.admin.list_again()

    def _mistypes_the_password(self) -> None:
        self.acted = True
        self.admin.set_password("wrong")
        self._mail_moves()
        self.stack.comes(lambda: any("credentials" in str(s["error"]) for s in self.admin.states()), 3)
        self.admin.set_password(PASSWORD)

    def _deletes_a_mailbox(self) -> None:
        """And adds it again later. Meanwhile nothing more of it is pushed, but for what was under way."""
        address = self.random.choice(self.admin.addresses)
        self.admin.delete_mailbox(address)
        time.sleep(float(SHORT["REINFER_DEADLINE"]))
        writes = self._writes_of(address)
        self._mail_moves()
        time.sleep(2)
        if self._writes_of(address) != writes:
            self.breakage.wrong.append(f"{address} was deleted, and its mail went on")
        self.admin.put(self.admin.addresses)

    def _deletes_the_integration(self) -> None:
        self.admin.delete()
        self._mail_moves()
        self.admin.put(self.admin.addresses)
        self.admin.start()

    def _writes_of(self, address: str) -> int:
        source = self.stack.reinfer.sources[self.admin.bucket]
        return sum(
            write.content["user_properties"].get("string:Mailbox") == address
            for comment in list(source.comments.values())
            for write in list(comment.history)
        )

    # ---- how it ends --------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        self.trouble.clear()
        self.stack.mend()
        self.stack.awake()
        if self.acted:
            self.admin.start_all()
            if any("ErrorItemNotFound" in what for what in self.trouble.log):
                self.admin.list_again()  # nothing else finds what Exchange could not find at three looks
            self.admin.try_again()
        self.healed = self.admin.now()
        self.log.append("-- all is mended")

    def _ends(self) -> Iterator[str]:
        """Everything arrives; then the integration is stopped, and lets go of everything."""
        mended = time.monotonic()
        if not self.stack.comes(lambda: not self._open(), WELL_WITHIN):
            yield from self._open()
        self._tell(f"all is well {time.monotonic() - mended:.0f} s after")
        if died := self.stack.died():
            yield f"ended by themselves: {died}"
        self.admin.stop()
        if not self.stack.comes(lambda: not any(s["leased"] or s["queued"] for s in self.admin.states()), 15):
            yield f"a lease or a mark in the queue is left: {self.admin.states()}"

    def _open(self) -> list[str]:
        """What is not done yet."""
        found = [
            f"{state['address']} is not up to date: {state['error']}, {state}"
            for state in self.admin.states()
            if not (
                state["enabled"] and state["up_to_date"] and state["synced_at"] and state["synced_at"] > self.healed
            )
        ]
        if unsettled := self.admin.ledger()["unsettled"]:
            found.append(f"{unsettled} entries are not settled")
        if aside := self._aside():
            found.append(f"still set aside, though nothing is wrong any more: {sorted(aside)}")
        return found or complaints(self.story, self.stack.reinfer, self.admin.bucket, ())

    def _settled(self) -> Iterator[str]:
        """Once more, now that nothing moves any more."""
        yield from complaints(self.story, self.stack.reinfer, self.admin.bucket, self._aside())
        billed, units = self.admin.ledger()["billed"], self.stack.reinfer.sources[self.admin.bucket].ai_units
        if billed != units:
            yield f"we count {billed} AI units, and Re:infer {units}"
        self.log.append(f"{units} comments, runs: {self.admin.runs()}")
        broke = [name for name in self.admin.runs() if "internal_error" in name]
        if broke and not any("postgres" in name or "backend" in name for name in self.breakage.log):
            yield f"our own fault, and the database was well: {self.admin.runs()}"

    def _leaves_nothing(self) -> None:
        """For the next seed, whatever became of this one."""
        self.trouble.clear()
        self.stack.mend()
        self.admin.delete()
        self.admin.close()
        self._right_clocks()

    def _right_clocks(self) -> None:
        """With new workers: faketime turns the clock that timers go by, too, which no real machine does, and the timer by which
        Celery replaces a child stands an hour off when that clock was turned back."""
        if not self.righted and any("clock" in what for what in self.breakage.log):
            self.stack.right_clocks()
            self.righted = True

    def _leaks(self) -> Iterator[str]:
        self.admin.delete()
        self._right_clocks()
        self.stack.comes(lambda: not list(leaks(self.stack, self.held)), 20)
        yield from leaks(self.stack, self.held)

    def _logs(self) -> Iterator[str]:
        """No log tells a secret or a word of a mail, whatever broke."""
        for path in self._log_files():
            with path.open(errors="replace") as file:
                file.seek(min(self.marks.get(path, 0), path.stat().st_size))
                text = file.read()
            for word in (PASSWORD, DEFAULT_TOKEN, self.stack.token, *self.stack.keys, *CONTENT):
                if word in text:
                    yield f"{path.name} tells {word[:12]}…"

    def _log_files(self) -> list[Path]:
        return [self.stack.folder / f"{member.name}.log" for member in self.stack.members]

    def _aside(self) -> set[str]:
        ids = self.admin.aside()
        return {told.name for told in self.story.emails.values() if told.message_id.encode().hex() in ids}

    # ---- telling ------------------------------------------------------------------------------------------------------

    def _tell(self, what: str) -> None:
        self.log.append(f"{time.monotonic() - self.began:5.1f} s: {what}")

    def told(self) -> str:
        """What happened, for whoever has to understand it."""
        return "\n".join([*self.story.log, "--", *self.trouble.log, "--", *self.log, f"logs: {self.stack.folder}"])
