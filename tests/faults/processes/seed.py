"""A process seed: a simulation with the installed product, in which processes and servers fail.

Mail and the faults of Exchange and Re:infer are those of `tests.faults.seed` over EWS. In addition, processes and servers
fail as in `breakage`, mostly at a request that is chosen at random. Afterwards the product must recover by itself. An admin
helps only if a password was mistyped, or Exchange or Re:infer returned errors.
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
from tests.faults.processes.leaks import Resources, leaks
from tests.faults.processes.moments import await_moment
from tests.faults.processes.stack import PASSWORD, SHORT, Stack
from tests.faults.story import Story
from tests.faults.trouble import Trouble

WELL_WITHIN = 90.0
"""Maximum time in seconds from the last fault until all mail is delivered: two retry delays and some syncs, under load."""
CONTENT = ("Could you look at", "About m", "This was written into it later", "only a quote")


@dataclass
class Seed:
    """`run()` runs the simulation and returns the violated conditions."""

    number: int
    stack: Stack
    resources_before: dict[str, Resources] = field(default_factory=dict)
    """The resources of the idle stack before the seed, by member."""
    log: list[str] = field(default_factory=list)
    acted: bool = False
    """Whether an admin has to help at the end."""
    righted: bool = False
    """Whether the clocks were set right again."""

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
        """Run once without faults, so that every process has opened the connections and files that it keeps open."""
        self.random = Random(self.number)
        self._begin()
        self._recover()
        violations = list(self._ends())
        self._leaves_nothing()
        assert not violations, "\n".join(["nothing broke, and yet:", *violations, self.report()])

    # ---- the simulation -----------------------------------------------------------------------------------------------

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
                self.trouble.applies()
            if self.random.random() < 0.25:
                self._admin_acts()
            moment = await_moment(self.random, self.stack.exchange, self.stack.reinfer)
            self._record(f"breaks at {moment}, after {len(self.story.log)} happenings")
            self.breakage.applies()
            self._record(f"was: {self.breakage.log[-1]}")

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
        self._record(f"admin: {act.__name__.strip('_')}")
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
        """A mailbox is deleted and added again later. In between, only a push that had already begun may arrive."""
        address = self.random.choice(self.admin.addresses)
        self.admin.delete_mailbox(address)
        time.sleep(float(SHORT["REINFER_DEADLINE"]))
        writes = self._writes_of(address)
        self._mail_moves()
        time.sleep(2)
        if self._writes_of(address) != writes:
            self.breakage.wrong.append(f"{address} was deleted, and its mail was still pushed")
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

    # ---- the end of the simulation ------------------------------------------------------------------------------------

    def _recover(self) -> None:
        self.trouble.clear()
        self.stack.mend()
        self.stack.awake()
        if self.acted:
            self.admin.start_all()
            if any("ErrorItemNotFound" in what for what in self.trouble.log):
                self.admin.list_again()  # emails that Exchange could not find three times need a full resync
            self.admin.try_again()
        self.healed = self.admin.now()
        self.log.append("-- all is mended")

    def _ends(self) -> Iterator[str]:
        """Wait until everything is delivered. Then stop the integration, and check that no lease and no task remains."""
        mended = time.monotonic()
        if not self.stack.comes(lambda: not self._open(), WELL_WITHIN):
            yield from self._open()
        self._record(f"all is well {time.monotonic() - mended:.0f} s after")
        if died := self.stack.died():
            yield f"ended by themselves: {died}"
        self.admin.stop()
        if not self.stack.comes(lambda: not any(s["leased"] or s["queued"] for s in self.admin.states()), 15):
            yield f"a lease or a mark in the queue is left: {self.admin.states()}"

    def _open(self) -> list[str]:
        """Return the conditions that do not hold yet."""
        violations = [
            f"{state['address']} is not up to date: {state['error']}, {state}"
            for state in self.admin.states()
            if not (
                state["enabled"] and state["up_to_date"] and state["synced_at"] and state["synced_at"] > self.healed
            )
        ]
        if unsettled := self.admin.ledger()["unsettled"]:
            violations.append(f"{unsettled} entries are not settled")
        if aside := self._aside():
            violations.append(f"still dead letters, although there is no fault any more: {sorted(aside)}")
        return violations or complaints(self.story, self.stack.reinfer, self.admin.bucket, ())

    def _settled(self) -> Iterator[str]:
        """Check the conditions again after the integration was stopped."""
        yield from complaints(self.story, self.stack.reinfer, self.admin.bucket, self._aside())
        billed, units = self.admin.ledger()["billed"], self.stack.reinfer.sources[self.admin.bucket].ai_units
        if billed != units:
            yield f"the ledger counts {billed} AI units, and Re:infer {units}"
        self.log.append(f"{units} comments, runs: {self.admin.runs()}")
        broke = [name for name in self.admin.runs() if "internal_error" in name]
        if broke and not any("postgres" in name or "backend" in name for name in self.breakage.log):
            yield f"internal errors, although the database had no fault: {self.admin.runs()}"

    def _leaves_nothing(self) -> None:
        """Clean up for the next seed, also after a failure."""
        self.trouble.clear()
        self.stack.mend()
        self.admin.delete()
        self.admin.close()
        self._right_clocks()

    def _right_clocks(self) -> None:
        """Restart the workers with right clocks, if a fault changed a clock.

        New processes are needed because faketime also changes the monotonic clock, unlike a real machine. After that clock
        was set back, the timer with which Celery replaces a child would fire an hour late.
        """
        if not self.righted and any("clock" in what for what in self.breakage.log):
            self.stack.right_clocks()
            self.righted = True

    def _leaks(self) -> Iterator[str]:
        self.admin.delete()
        self._right_clocks()
        self.stack.comes(lambda: not list(leaks(self.stack, self.resources_before)), 20)
        yield from leaks(self.stack, self.resources_before)

    def _logs(self) -> Iterator[str]:
        """Check that no log contains a secret or a word of an email."""
        for path in self._log_files():
            with path.open(errors="replace") as file:
                file.seek(min(self.marks.get(path, 0), path.stat().st_size))
                text = file.read()
            for word in (PASSWORD, DEFAULT_TOKEN, self.stack.token, *self.stack.keys, *CONTENT):
                if word in text:
                    yield f"{path.name} contains {word[:12]}…"

    def _log_files(self) -> list[Path]:
        return [self.stack.folder / f"{member.name}.log" for member in self.stack.members]

    def _aside(self) -> set[str]:
        ids = self.admin.aside()
        return {email.name for email in self.story.emails.values() if email.message_id.encode().hex() in ids}

    # ---- the log ------------------------------------------------------------------------------------------------------

    def _record(self, what: str) -> None:
        self.log.append(f"{time.monotonic() - self.began:5.1f} s: {what}")

    def report(self) -> str:
        """Return what happened, for the message of a failed test."""
        return "\n".join([*self.story.log, "--", *self.trouble.log, "--", *self.log, f"logs: {self.stack.folder}"])
