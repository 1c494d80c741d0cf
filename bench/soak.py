"""A day in fast motion: hundreds of mailboxes, one request in a hundred fails, and nothing may grow but what grows with mail.

Runs the scheduling, runner, housekeeping, bucket audit, verification, notifications and pruning of the product on a simulated
clock, in one process that is never replaced, with threads as workers, over real sockets and a real PostgreSQL (its own
database beside the one that DATABASE_URL names).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench.account import PASSWORD, USERNAME
from bench.soak_readings import WITH_MAIL, Reading, judged, read
from bench.stage import ROOT
from demo.table import table

TICK = timedelta(minutes=2)
"""Of the simulated clock between two looks at what is due; the product's own is 5 s."""
WARM_UP = 0.25
"""Of all hours: until then, what is kept for some hours fills up."""
EMAILS_A_DAY = 20
"""For each mailbox."""


def run(hours: float, mailboxes: int, faults: float, interval: int, seed: int, workers: int) -> int:
    """Print the figures of each hour, then what is flat; 1 if something is not, or an email is lost or billed twice."""
    pool = ThreadPoolExecutor(workers)
    with _world(mailboxes, faults, seed) as world, _database() as url, pool:
        _set_up(url)
        soak = Soak(world, hours, mailboxes, interval, random.Random(seed), pool)
        soak.prepare()
        soak.live()
        counted = soak.settle()
    return _told(soak, counted)


@dataclass
class World:
    """The other process: one line in, one line out."""

    child: subprocess.Popen[str]
    given: dict[str, Any]

    def goes_on(self, now: datetime, arrivals: int, *, misbehave: bool, count: bool = False) -> dict[str, Any]:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        asked = {"now": now.isoformat(), "arrivals": arrivals, "misbehave": misbehave, "count": count}
        self.child.stdin.write(json.dumps(asked) + "\n")
        self.child.stdin.flush()
        counted: dict[str, Any] = json.loads(self.child.stdout.readline())
        return counted


@dataclass
class Soak:
    world: World
    hours: float
    mailboxes: int
    interval: int
    random: random.Random
    pool: ThreadPoolExecutor
    readings: list[Reading] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.begun = time.monotonic()
        self.start = self.now = datetime.now(UTC)

    def clock(self) -> datetime:
        return self.now

    def prepare(self) -> None:
        from integrations.models import Destination, Integration
        from mailboxes.models import Bucket, Mailbox
        from notifications.models import Webhook
        from sync.jobs import scheduling

        given = self.world.given
        destination = Destination.objects.create(name="Re:infer", endpoint=given["reinfer"], token=given["token"])
        buckets = [
            Bucket.objects.create(destination=destination, project=project, name=name)
            for project, name in given["buckets"]
        ]
        integration = Integration.objects.create(
            project="bank", name="mail", endpoint=given["exchange"], auth="basic", username=USERNAME, password=PASSWORD,
            ca_bundle=given["ca"], build_version="15.1.2507.39", enabled=True, disabled_reason="", most_at_once=16,
            poll_interval=self.interval,
        )  # fmt: skip
        for number, address in enumerate(given["mailboxes"]):
            Mailbox.objects.create(integration=integration, bucket=buckets[number % len(buckets)], address=address)
        Webhook.objects.create(url=given["hook"], secret="a secret of sixteen or more")
        scheduling.make_states()

    # ---- the day --------------------------------------------------------------------------------------------------

    def live(self) -> None:
        a_tick = self.mailboxes * EMAILS_A_DAY * TICK / timedelta(days=1)
        due, hour = 0.0, 0
        while self.now < self.start + timedelta(hours=self.hours):
            due += a_tick
            self.world.goes_on(self.now, int(due), misbehave=True)
            due -= int(due)
            self._tick()
            self.now += TICK
            if (self.now - self.start) / timedelta(hours=1) >= hour + 1:
                hour += 1
                self._hourly(hour)

    def _tick(self) -> None:
        """What beat, a control worker and a worker do between two ticks."""
        from notifications import delivering
        from sync.jobs import bucket_audit, housekeeping, scheduling, verification

        queue: list[int] = []
        scheduling.dispatch(queue.append, self.clock)
        self._work_off(queue)
        verifying: list[int] = []
        verification.send_due(lambda *task: verifying.append(task[0]), self.clock)
        for pk in verifying:
            verification.go_on(pk, self._around())
        housekeeping.ticked("dispatch", self.now)
        housekeeping.look(self.clock)
        bucket_audit.send_due(self._compare, self.clock)
        for hook in delivering.due_webhooks(self.now):
            delivering.deliver(hook, self.now)

    def _work_off(self, queue: list[int]) -> None:
        """Until nothing is queued any more: what ends may bring the next."""
        at_work: set[Future[str]] = set()
        while queue or at_work:
            while queue:
                at_work.add(self.pool.submit(self._sync, queue.pop(0), queue))
            ended, at_work = wait(at_work, return_when=FIRST_COMPLETED)
            self.runs.update(future.result() for future in ended)

    def _sync(self, mailbox_id: int, queue: list[int]) -> str:
        from sync.jobs import runner, scheduling

        done = runner.run(mailbox_id, self._around())
        if done is None:
            return "held back"
        scheduling.go_on(done.mailbox, queue.append, self.clock)
        return str(done.outcome)

    def _compare(self, pk: int) -> None:
        from sync.jobs import bucket_audit

        bucket_audit.compare(pk, self.clock)

    def _around(self) -> Any:
        from sync.jobs import runner

        return runner.RunEnvironment(clock=self.clock, chance=self.random.random)

    def _hourly(self, hour: int) -> None:
        from mailboxes.models import Mailbox
        from sync.jobs import pruning, verification
        from sync.reporting import attention, metrics

        pruning.prune(self.clock)
        metrics.exposition(self.now)
        found = attention.problems(self.now)
        verification.begin(self.random.choice(list(Mailbox.objects.all())), repair=False, clock=self.clock)
        self.readings.append(read(hour))
        _show(self, hour, len(found), self.world.goes_on(self.now, 0, misbehave=True, count=True))

    # ---- how it ends ----------------------------------------------------------------------------------------------

    def settle(self) -> dict[str, Any]:
        """The servers are well again; what waited comes."""
        from operations import failed_email_actions
        from operations.actor import Actor
        from sync.models import DeadLetter

        for _ in range(timedelta(minutes=45) // TICK):
            self.world.goes_on(self.now, 0, misbehave=False)
            self._tick()
            self.now += TICK
        failed_email_actions.retry_many(Actor("soak"), DeadLetter.objects.all(), self.clock)
        for _ in range(2 + int(1.2 * self.interval) // int(TICK.total_seconds())):
            self.world.goes_on(self.now, 0, misbehave=False)
            self._tick()
            self.now += TICK
        return self._counted()

    def _counted(self) -> dict[str, Any]:
        from sync.models import DeadLetter, LedgerEntry, MailboxState, SyncRun
        from sync.reporting import invariants

        return {
            **self.world.goes_on(self.now, 0, misbehave=False, count=True),
            "billed": LedgerEntry.objects.filter(billed=True).count(),
            "unsettled": LedgerEntry.objects.exclude(state="confirmed", dirty=False).count(),
            "aside": DeadLetter.objects.waiting().count(),
            "leases": MailboxState.objects.exclude(lease_token=None).count(),
            "running": SyncRun.objects.filter(outcome="running").count(),
            "internal": SyncRun.objects.filter(error_kind="internal_error").count(),
            "broken": [it.invariant.value for it in invariants.broken(self.now)],
        }


# ---- the report ------------------------------------------------------------------------------------------------------

HEAD = (
    "hour",
    "wall s",
    "RSS MB",
    "files",
    "sockets",
    "threads",
    "pg",
    "runs",
    "aside",
    "notices",
    "ledger",
    "syncs",
    "failed",
)


def _show(soak: Soak, hour: int, problems: int, counted: dict[str, Any]) -> None:
    it = soak.readings[-1]
    if hour == 1:
        print("  ".join(f"{name:>7}" for name in (*HEAD, "emails", "units", "faults", "problems")))
    values = (
        *(hour, round(time.monotonic() - soak.begun), round(it.rss_mb, 1), it.files, it.sockets, it.threads),
        *(it.database_connections, it.rows["sync_syncrun"], it.rows["sync_setasideemail"], it.rows["notices_notice"]),
        *(it.rows["sync_ledgerentry"], sum(soak.runs.values()), soak.runs["failed"]),
        *(counted["emails"], counted["ai_units"], counted["faults"], problems),
    )
    print("  ".join(f"{value:>7}" for value in values), flush=True)


def _told(soak: Soak, counted: dict[str, Any]) -> int:
    after = [reading for reading in soak.readings if reading.hour > WARM_UP * soak.hours]
    lines = judged(after) if len(after) > 1 else []
    rows = [
        [
            it.name,
            f"{it.first:.1f}",
            f"{it.last:.1f}",
            f"{it.most:.1f}",
            f"{it.per_day:+.1f}",
            "flat" if it.flat else "GROWS",
        ]
        for it in lines
    ]
    print(f"\nafter {WARM_UP * soak.hours:g} hours of warm-up, until hour {soak.hours:g}:")
    print(table(["", "first", "last", "most", "a day", ""], rows))
    last = soak.readings[-1]
    print(
        f"sync_activity, a row for each bucket and hour that moved mail, kept 13 months: {last.rows['sync_activity']:,}"
    )
    for name in WITH_MAIL:
        each = 1e6 * last.megabytes[name] / max(1, last.rows[name])
        print(f"{name}: {last.rows[name]:,} rows, {last.megabytes[name]:.1f} MB, {each:.0f} bytes each")
    print(f"runs: {dict(soak.runs)}")
    print(f"at the end: {counted}")
    wrong = _wrong(counted)
    for text in wrong:
        print(f"WRONG: {text}")
    return int(bool(wrong) or not all(it.flat for it in lines))


def _wrong(counted: dict[str, Any]) -> list[str]:
    found = []
    if counted["missing"] > counted["aside"]:
        found.append(f"{counted['missing']} emails are not in Re:infer, and {counted['aside']} failed")
    if not counted["ai_units"] == counted["comments"] == counted["billed"]:
        found.append(
            f"{counted['ai_units']} AI units, {counted['comments']} comments, and {counted['billed']} by our count"
        )
    found += [
        f"{what}: {counted[what]}"
        for what in ("text_changes", "unsettled", "leases", "running", "internal", "broken")
        if counted[what]
    ]
    return found


# ---- the stage --------------------------------------------------------------------------------------------------------


@contextmanager
def _world(mailboxes: int, faults: float, seed: int) -> Iterator[World]:
    command = [sys.executable, "-m", "bench.soak_world", str(mailboxes), str(faults), str(seed)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield World(child, json.loads(child.stdout.readline()))
        finally:
            child.stdin.close()


@contextmanager
def _database() -> Iterator[str]:
    import psycopg

    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        raise SystemExit("A soak needs a PostgreSQL: name one in DATABASE_URL. It gets a database of its own there.")
    name = f"soak_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        # Nobody pulls the plug here: waiting for the disk at each commit would only make the day longer.
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        try:
            yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        finally:
            from django.db import connections

            connections.close_all()
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _set_up(url: str) -> None:
    from cryptography.fernet import Fernet

    os.environ.update(
        DATABASE_URL=url, SECRET_KEY="of a soak", ENCRYPTION_KEYS=Fernet.generate_key().decode(), LOG_LEVEL="CRITICAL",
        DJANGO_SETTINGS_MODULE="config.settings", NOTICES_ALLOW_PRIVATE="true", EXCHANGE_DEADLINE="5", REINFER_DEADLINE="5",
        RUNS_KEPT_DAYS="0.125", NO_PROXY="*",
    )  # fmt: skip
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
