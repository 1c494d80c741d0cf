"""A simulation ("seed") in this process, with real sockets, a real database and a simulated clock.

Mail arrives and moves in a few mailboxes, Exchange and Re:infer return errors, and an admin presses buttons. At a call of a
port (source, sink, ledger, checkpoints), one of these events can happen: the worker is killed, the worker hangs for minutes
while another worker syncs, another worker syncs first, mail moves, an admin acts, or the clock jumps.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from kombu.exceptions import OperationalError as BrokerError

from integrations.connect import open_sink, open_source
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from operations import failed_email_actions, integration_actions, mailbox_actions
from operations.resumption import settings_changed
from simulators.exchange import Store
from simulators.exchange.store import Mailbox as Box
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from sync.jobs import property_renewal, runner, scheduling
from sync.models import VANISHED, DeadLetter, LedgerEntry, MailboxItem, MailboxState, Renewal, SyncedFolder, SyncRun
from sync.store.checkpoints import DatabaseCheckpoints
from sync.store.ledger import DatabaseLedger
from tests.actors import ADMIN
from tests.faults.deadly import Died, Reaper
from tests.faults.ends import SECRET, End
from tests.faults.oracle import complaints
from tests.faults.pace import Pace, Paced
from tests.faults.past import Past
from tests.faults.story import Story
from tests.faults.totals import totals_complaints
from tests.faults.trouble import Trouble
from tests.sync.world import Clock

BUCKET = ("bank", "desks")
MAX_SLICES = 300
MAX_RENEWALS = 100
CALLS = 70
"""An event happens at one of the first `CALLS` calls of ports in a sync. A sync with much work makes about `CALLS` calls."""


@dataclass
class Seed:
    """`run()` runs the simulation and returns the violated conditions."""

    number: int
    end: End
    log: list[str] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.number)
        self.clock = Clock()
        self.pace = Pace.drawn(self.number)
        self.past = Past.drawn(self.number)
        self.depth = 0

    def run(self) -> list[str]:
        with self._stage():
            self._live()
            silent = self._recover()
            totals = totals_complaints(self.story.store, self._hours_pass)
            return [*silent, *self._complaints(), *self._leaks(), *totals]

    # ---- the simulation -------------------------------------------------------------------------------------------

    def _live(self) -> None:
        self.story.begin(self.random.randint(4, 14))
        for _ in range(self.random.randint(5, 9)):
            for _ in range(self.random.randint(0, 4)):
                self.story.happens()
            if self.random.random() < 0.45:
                self.trouble.applies()
            if self.random.random() < 0.2:
                self._admin_acts()
            if self.random.random() < 0.15:
                self.trouble.clear()
            self._tick(interrupted=True)
            self.log += self.past.happens(self.reinfer, BUCKET)
            self._renew(self._reaper() if self.random.random() < 0.3 else Reaper())
        self.log += self.past.happens(self.reinfer, BUCKET, last=True)

    def _renew(self, reaper: Reaper) -> None:
        """Run the tasks that add a missing property to comments of an older version."""
        sent: list[int] = []
        property_renewal.send_due(sent.append, self.clock)
        for bucket_id in sent:
            try:
                row = property_renewal.renew(bucket_id, self.clock, self._run_environment(reaper).open_sink)
            except Died as death:
                self.deaths += 1
                self.log.append(f"a worker died {death}, in a renewal")
                continue
            self.log.append(f"renewal: {row.left if row else 'no comments'} left")

    def _tick(self, *, interrupted: bool) -> None:
        """Queue the mailboxes that are due, and sync them. `interrupted`: whether faults may happen during a sync."""
        self.clock.now += timedelta(seconds=self.random.choice([5, 30, 60, 70, 200, 1000]))
        queued: list[int] = []
        with suppress(BrokerError):
            scheduling.dispatch(queued.append, self.clock)
        if interrupted and self.random.random() < 0.1:
            queued += queued[:1]  # the broker delivers a task twice
        self.log.append(f"-- {self.clock():%d. %H:%M:%S}, after {len(self.story.log)} happenings")
        for mailbox_id in queued:
            if interrupted:
                self._work(mailbox_id, self._reaper() if self.random.random() < 0.6 else Reaper())
            else:
                self._work_to_its_end(mailbox_id)

    def _work_to_its_end(self, mailbox_id: int) -> None:
        """Sync a mailbox in as many slices as it needs."""
        for _ in range(MAX_SLICES):
            run = self._work(mailbox_id, Reaper())
            if run is None or run.outcome != SyncRun.Outcome.YIELDED:
                return
        raise AssertionError(f"mailbox {mailbox_id} is not up to date after {MAX_SLICES} slices")

    def _work(self, mailbox_id: int, reaper: Reaper) -> SyncRun | None:
        try:
            run = runner.run(mailbox_id, self._run_environment(reaper))
        except Died as death:
            self.deaths += 1
            self.log.append(f"a worker died {death}")
            return None
        self.log.append(f"mailbox {mailbox_id}: {run.outcome + ' ' + run.error_kind if run else 'not run'}")
        return run

    def _run_environment(self, reaper: Reaper) -> runner.RunEnvironment:
        def wrapped(port: str, make: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *given, **named: reaper.wrap(port, make(*given, **named))

        return runner.RunEnvironment(
            open_source=wrapped(
                "source", lambda *given, **named: Paced(self._source(*given, **named), self.clock, self.pace.answer)
            ),
            open_sink=wrapped("sink", open_sink),
            make_ledger=wrapped("ledger", DatabaseLedger),
            make_checkpoints=wrapped("checkpoints", DatabaseCheckpoints),
            clock=self.clock,
            monotonic=lambda: self.clock.now.timestamp(),  # noqa: PLW0108  # `now` is replaced
            chance=self.random.random,
        )

    def _source(self, *given: Any, **named: Any) -> Any:
        return open_source(*given, **named)

    # ---- faults between two calls of a port -----------------------------------------------------------------------

    def _reaper(self) -> Reaper:
        happenings = [self._dies] * 4 + [self._stands_still, self._another_overtakes, self._the_world_turns] * 2
        happening = self.random.choice([*happenings, self._admin_acts_now, self._clock_jumps])
        return Reaper(self.random.randrange(CALLS), after=self.random.random() < 0.5, die=happening)

    def _dies(self, where: str) -> None:
        raise Died(where)

    def _stands_still(self, where: str) -> None:
        """The worker hangs for some minutes, so that its lease can end. Another worker can sync in the meantime."""
        self.log.append(f"a worker stands still {where}")
        self.clock.turn(minutes=self.random.choice([1, 4, 20]))
        self._meanwhile(lambda: self._tick(interrupted=False))

    def _another_overtakes(self, where: str) -> None:
        self.log.append(f"another worker overtakes {where}")
        others = list(Mailbox.objects.values_list("pk", flat=True))
        self._meanwhile(lambda: [self._work(pk, Reaper()) for pk in self.random.sample(others, len(others))])

    def _the_world_turns(self, where: str) -> None:
        self.log.append(f"mail moves {where}")
        for _ in range(self.random.randint(1, 3)):
            self.story.happens()

    def _admin_acts_now(self, where: str) -> None:
        self.log.append(f"an admin acts {where}")
        self._admin_acts()

    def _clock_jumps(self, where: str) -> None:
        hours = self.random.choice([-1, 1])
        self.log.append(f"the clock jumps {hours} h {where}")
        self.clock.turn(hours=hours)

    def _meanwhile(self, act: Callable[[], object]) -> None:
        if self.depth < 2:
            self.depth += 1
            try:
                act()
            finally:
                self.depth -= 1

    # ---- the admin ------------------------------------------------------------------------------------------------

    def _admin_acts(self) -> None:
        act = self.random.choice(self._acts())
        self.log.append(f"admin: {act.__name__.strip('_')}")
        act()

    def _acts(self) -> list[Callable[[], None]]:
        return [
            self._stops_and_starts, self._stops_the_integration, self._stops_a_mailbox, self._lists_again,
            self._tries_again, self._narrows_and_widens, self._mistypes_the_password, self._rotates_the_key,
        ]  # fmt: skip

    def _stops_and_starts(self) -> None:
        integration_actions.stop(ADMIN, self.integration)
        integration_actions.start(ADMIN, self.integration)

    def _stops_the_integration(self) -> None:
        integration_actions.stop(ADMIN, self.integration)

    def _stops_a_mailbox(self) -> None:
        mailbox_actions.stop(ADMIN, self._mailbox())

    def _lists_again(self) -> None:
        mailbox_actions.list_again(ADMIN, self._mailbox())

    def _tries_again(self) -> None:
        failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), self.clock)

    def _narrows_and_widens(self) -> None:
        deny = self.random.choice([[], [["Inbox", "Trades"]], [["Archive"]]])
        Mailbox.objects.filter(pk=self._mailbox().pk).update(folder_deny=deny)

    def _mistypes_the_password(self) -> None:
        wrong = self.random.random() < 0.5
        self._set_password("wrong" if wrong else SECRET)
        settings_changed(self.integration)

    def _rotates_the_key(self) -> None:
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS][:3]
        with open(os.devnull, "w") as nowhere:
            call_command("rotate_keys", stdout=nowhere)

    def _mailbox(self) -> Mailbox:
        rows = Mailbox.objects.select_related("integration", "bucket__destination").order_by("pk")
        return self.random.choice(list(rows))

    def _set_password(self, password: str) -> None:
        row = Integration.objects.get(pk=self.integration.pk)
        setattr(row, self.end.secret_field, password)
        row.save(update_fields=[self.end.secret_field])

    # ---- the end of the simulation --------------------------------------------------------------------------------

    def _recover(self) -> list[str]:
        """End all faults, undo what the admin changed, and let time pass.

        Returns:
            A message for the folder that could not be read and was not shown as left out. Empty if there is no such folder.
        """
        # Longer deadlines: no server hangs any more, so a slow response can only be due to the load of this machine.
        settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=20)
        self.trouble.clear()
        self._set_password(SECRET)
        Mailbox.objects.update(folder_deny=[])
        for mailbox in Mailbox.objects.select_related("integration", "bucket__destination"):
            mailbox_actions.start(ADMIN, mailbox)
        integration_actions.start(ADMIN, self.integration)
        unreadable = self._withhold() if self.random.random() < 0.4 else None
        for _ in range(5):
            self.clock.turn(minutes=16)
            self._tick(interrupted=False)
        silent = self._give_back(*unreadable) if unreadable else []
        failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), self.clock)
        for _ in range(3):
            self.clock.turn(minutes=16)
            self._tick(interrupted=False)
        while DeadLetter.objects.filter(settled="", stage=VANISHED).exists():
            # An email that Exchange cannot find is requested several times, at growing intervals. Then it counts as deleted.
            self.clock.turn(hours=5)
            self._tick(interrupted=False)
        self.clock.turn(minutes=16)
        self._tick(interrupted=False)
        # The following steps take many polls, and do not test short slices.
        settings.SYNC_SLICE = timedelta(minutes=10)
        for _ in range(3 if self.story.unreported else 1):
            self._hours_pass()
        self._give_every_property()
        return silent

    def _withhold(self) -> tuple[Box, str]:
        """From now on, one folder with wanted mail is listed but cannot be found when it is read."""
        box = self.random.choice(list(self.story.store))
        paths = sorted(path for one in box.folders.values() if self.story.wanted(box.address, path := box.path(one)))
        path = self.random.choice(paths)
        box.forbid_folder(path, code=self.random.choice(["ErrorItemNotFound", "ErrorFolderNotFound"]))
        self.log.append(f"{path} of {box.address} cannot be found any more")
        return box, path

    def _give_back(self, box: Box, path: str) -> list[str]:
        rows = SyncedFolder.objects.left_out().filter(mailbox__address=box.address)
        named = {tuple(row.path) for row in rows}
        box.forbid_folder(path, forbidden=False)
        # The product retries the folder within a day.
        self.clock.turn(hours=25)
        self._tick(interrupted=False)
        silent = f"{path} of {box.address} could not be read, and was not shown as left out"
        return [] if tuple(path.split("/")) in named else [silent]

    def _hours_pass(self) -> None:
        """Let enough time pass to compare the total of each folder, and to list each folder again whose total differs."""
        self.clock.turn(minutes=100)
        self._tick(interrupted=False)
        for _ in range(2):
            self.clock.turn(minutes=16)
            self._tick(interrupted=False)

    def _give_every_property(self) -> None:
        """Run the property renewal to its end. A comment that Re:infer refused is retried a day later."""
        for _ in range(MAX_RENEWALS):
            self.clock.turn(minutes=1)
            MailboxState.objects.update(next_sync_at=self.clock() + timedelta(minutes=1))
            self._renew(Reaper())
            if not Renewal.objects.exclude(left=0).exists():
                return
            if Renewal.objects.filter(next_at__gt=self.clock() + timedelta(hours=2)).exists():
                self.clock.turn(days=1)

    def _complaints(self) -> list[str]:
        aside = DeadLetter.objects.waiting().exclude(reason="")
        names = {
            email.name
            for email in self.story.emails.values()
            if aside.filter(listed_id=email.message_id.encode().hex()).exists()
        }
        violations = [f"{name} is still a dead letter, although there is no fault any more" for name in names]
        may_be_missing = names | self._may_be_missing()
        violations += complaints(self.story, self.reinfer, BUCKET, may_be_missing, places=not self.past.came_back)
        violations += self.past.complaints(self.reinfer, BUCKET)
        billed = LedgerEntry.objects.filter(billed=True).count()
        # After a restore, the ledger adopts the comments that were pushed after the backup. It does not mark them as billed.
        if billed > self.reinfer.ai_units or (billed < self.reinfer.ai_units and not self.past.came_back):
            violations.append(f"the ledger counts {billed} AI units, and Re:infer {self.reinfer.ai_units}")
        open_entries = LedgerEntry.objects.exclude(state="confirmed", dirty=False).count()
        return violations + ([f"{open_entries} entries are not settled"] if open_entries else [])

    def _may_be_missing(self) -> set[str]:
        """Return the names of emails that need not be comments, besides dead letters."""
        return set()

    def _leaks(self) -> Iterator[str]:
        for state in MailboxState.objects.select_related("mailbox"):
            if state.lease_token is not None or not state.up_to_date:
                yield f"{state.mailbox} is not up to date: lease {state.lease_until}, {state.error_text or 'no error'}"
        for folder in SyncedFolder.objects.exclude(refused_since=None).filter(gone=False, holds_mail=True):
            yield f"{folder} of {folder.mailbox} is still left out, although it can be read"
        if SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING).exists():
            yield "a run never ended"
        if SyncRun.objects.filter(error_kind="internal_error").exists():
            yield f"an internal error: {SyncRun.objects.filter(error_kind='internal_error').first().error_text}"

    # ---- set-up ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _stage(self) -> Iterator[None]:
        keys, threads = settings.ENCRYPTION_KEYS, threading.active_count()
        slice_, settings.SYNC_SLICE = settings.SYNC_SLICE, timedelta(seconds=self.pace.slice)
        addresses = [f"desk{number}@bank.example" for number in range(self.random.randint(2, 3))]
        self.end.server.faults.clear()
        self.end.server.requests.clear()
        self.end.server.store = Store(addresses)
        self.log.append(self.end.live(self.number))
        self.story = self._story()
        with ReinferSimulator(projects=["bank"], sources=[BUCKET]) as self.reinfer:
            self.trouble = Trouble(self.random, self.end, self.reinfer, self.story)
            self._rows(addresses)
            try:
                yield
            finally:
                settings.ENCRYPTION_KEYS, settings.SYNC_SLICE = keys, slice_
                self.end.close()
        assert threading.active_count() <= threads + 20, "threads leak"

    def _story(self) -> Story:
        story = Story(
            self.random,
            self.end.server.store,
            more_folders=self.pace.folders,
            odd_folders=True,
            lists=self.end.lists,
        )
        story.unreported = self.random.choice([0.0, 0.05, 0.2])
        return story

    def _rows(self, addresses: list[str]) -> None:
        destination = Destination.objects.create(name="Re:infer", endpoint=self.reinfer.url, token=DEFAULT_TOKEN)
        self.integration = Integration.objects.create(
            project="bank", name="mail", enabled=True, disabled_reason="", **self.end.row()
        )
        bucket = Bucket.objects.create(destination=destination, project=BUCKET[0], name=BUCKET[1])
        for address in addresses:
            Mailbox.objects.create(integration=self.integration, bucket=bucket, address=address)
        scheduling.make_states()

    def report(self) -> str:
        """Return what happened, and the stored state of the product, for the message of a failed test."""
        return "\n".join([*self.story.log, "--", *self.trouble.log, "--", *self.log, "--", *self._remembered()])

    def _remembered(self) -> Iterator[str]:
        for entry in LedgerEntry.objects.order_by("comment_id"):
            yield (
                f"{_name(entry.comment_id)}: {entry.state}{' dirty' * entry.dirty}{' billed' * entry.billed}, "
                f"won by mailbox {entry.winner_mailbox_id} {entry.winner_item[-8:]}"
            )
        for item in MailboxItem.objects.select_related("folder").order_by("listed_id", "pk"):
            yield f"{_name(item.listed_id)}: {item.verdict} in {item.mailbox_id} {item.folder} {item.item_id[-8:]}"
        for email in DeadLetter.objects.all():
            yield f"{_name(email.listed_id)}: aside {email.settled or 'now'} {email.reason} x{email.attempts}"


def _name(comment_id: str) -> str:
    try:
        return bytes.fromhex(comment_id).decode().strip("<>").partition("@")[0]
    except ValueError:
        return comment_id[:8]
