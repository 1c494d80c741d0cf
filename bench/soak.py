"""Soak test: a simulated day with hundreds of mailboxes and failing requests. It detects leaks and lost emails.

The test runs scheduling, syncs, housekeeping, bucket audit, verification, notifications and pruning of the product, with the
times of a simulated clock. The product runs in one process with threads as workers. This process is never restarted, so that
a leak becomes visible. (In production, Celery replaces a worker process after 500 tasks.) The simulators run in another
process. The sockets and the PostgreSQL server are real. The test creates its own database on the server of DATABASE_URL. Only
the tables with one row per comment or mailbox item, and `sync_activity`, may grow.
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
"""Time on the simulated clock between two queries for due mailboxes.

In the product, this time is `DISPATCH_EVERY`, by default 5 s.
"""
WARM_UP = 0.25
"""Share of the simulated time that is not judged: at the beginning, tables grow until their oldest rows are pruned."""
EMAILS_A_DAY = 20
"""Number of emails that arrive per mailbox and day. Some of them also arrive in other mailboxes."""


def run(hours: float, mailboxes: int, faults: float, interval: int, seed: int, workers: int) -> int:
    """Print the figures of each hour, and then which figures grew.

    Returns:
        1 if a figure grew that must not grow, or if `_failures` found an error, such as a lost email or a comment that was
        billed twice; otherwise 0.
    """
    pool = ThreadPoolExecutor(workers)
    with _world(mailboxes, faults, seed) as world, _database() as url, pool:
        _set_up(url)
        soak = Soak(world, hours, mailboxes, interval, random.Random(seed), pool)
        soak.prepare()
        soak.run_day()
        counted = soak.settle()
    return _report(soak, counted)


@dataclass
class World:
    """The process with the simulators.

    The process reads a line of JSON with a command, and writes a line of JSON with the result.
    """

    child: subprocess.Popen[str]
    given: dict[str, Any]

    def advance(self, now: datetime, arrivals: int, *, misbehave: bool, count: bool = False) -> dict[str, Any]:
        """Advance the simulated mailboxes.

        Args:
            now: Time of the simulated clock, UTC.
            arrivals: Number of emails that arrive.
            misbehave: Whether requests to the simulators fail at random.
            count: Whether to return counts.

        Returns:
            Counts of emails, comments and faults; empty unless `count` is set.
        """
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        command = {"now": now.isoformat(), "arrivals": arrivals, "misbehave": misbehave, "count": count}
        self.child.stdin.write(json.dumps(command) + "\n")
        self.child.stdin.flush()
        counted: dict[str, Any] = json.loads(self.child.stdout.readline())
        return counted


@dataclass
class Soak:
    """One soak test.

    Attributes:
        world: The process with the simulators.
        hours: Length of the simulated time.
        mailboxes: Number of mailboxes.
        interval: Seconds between two syncs of a mailbox.
        random: Source of randomness.
        pool: The threads that sync mailboxes.
        readings: One reading for each hour.
        runs: Number of syncs by outcome, and of tasks that started no sync.
    """

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

    # ---- the simulated day --------------------------------------------------------------------------------------------------

    def run_day(self) -> None:
        """Simulate the hours: emails arrive, requests fail, mailboxes are synced."""
        per_tick = self.mailboxes * EMAILS_A_DAY * TICK / timedelta(days=1)
        due, hour = 0.0, 0
        while self.now < self.start + timedelta(hours=self.hours):
            due += per_tick
            self.world.advance(self.now, int(due), misbehave=True)
            due -= int(due)
            self._tick()
            self.now += TICK
            if (self.now - self.start) / timedelta(hours=1) >= hour + 1:
                hour += 1
                self._hourly(hour)

    def _tick(self) -> None:
        """Do the work that beat and the workers of both queues do during one `TICK`."""
        from notifications import delivering
        from sync.jobs import bucket_audit, housekeeping, scheduling, verification

        queue: list[int] = []
        scheduling.dispatch(queue.append, self.clock)
        self._sync_all(queue)
        verifying: list[int] = []
        verification.send_due(lambda *task: verifying.append(task[0]), self.clock)
        for pk in verifying:
            verification.run_slice(pk, self._environment())
        housekeeping.record_tick("dispatch", self.now)
        housekeeping.run_checks(self.clock)
        bucket_audit.send_due(self._compare, self.clock)
        for hook in delivering.due_webhooks(self.now):
            delivering.deliver(hook, self.now)

    def _sync_all(self, queue: list[int]) -> None:
        """Sync the queued mailboxes until the queue is empty. The end of a sync can queue another one."""
        running: set[Future[str]] = set()
        while queue or running:
            while queue:
                running.add(self.pool.submit(self._sync, queue.pop(0), queue))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            self.runs.update(future.result() for future in ended)

    def _sync(self, mailbox_id: int, queue: list[int]) -> str:
        from sync.jobs import runner, scheduling

        done = runner.run(mailbox_id, self._environment())
        if done is None:
            return "not started"
        scheduling.queue_next(done.mailbox, queue.append, self.clock)
        return str(done.outcome)

    def _compare(self, pk: int) -> None:
        from sync.jobs import bucket_audit

        bucket_audit.compare(pk, self.clock)

    def _environment(self) -> Any:
        from sync.jobs import runner

        return runner.RunEnvironment(clock=self.clock, chance=self.random.random)

    def _hourly(self, hour: int) -> None:
        from mailboxes.models import Mailbox
        from sync.jobs import pruning, verification
        from sync.reporting import alerts, metrics

        pruning.prune(self.clock)
        metrics.exposition(self.now)
        problems = alerts.problems(self.now)
        verification.begin(self.random.choice(list(Mailbox.objects.all())), repair=False, clock=self.clock)
        self.readings.append(read(hour))
        _print_hour(self, hour, len(problems), self.world.advance(self.now, 0, misbehave=True, count=True))

    # ---- the end of the simulated day -----------------------------------------------------------------------------

    def settle(self) -> dict[str, Any]:
        """Stop the faults, and let the product end its work in two phases of fixed length. Return the counts.

        The first phase is 45 simulated minutes. Then all failed emails are retried. The second phase is about 1.2 poll
        intervals and two ticks.
        """
        from operations import failed_email_actions
        from operations.actor import Actor
        from sync.models import DeadLetter

        for _ in range(timedelta(minutes=45) // TICK):
            self.world.advance(self.now, 0, misbehave=False)
            self._tick()
            self.now += TICK
        failed_email_actions.retry_many(Actor("soak"), DeadLetter.objects.all(), self.clock)
        for _ in range(2 + int(1.2 * self.interval) // int(TICK.total_seconds())):
            self.world.advance(self.now, 0, misbehave=False)
            self._tick()
            self.now += TICK
        return self._counted()

    def _counted(self) -> dict[str, Any]:
        from sync.models import DeadLetter, LedgerEntry, MailboxState, SyncRun
        from sync.reporting import invariants

        return {
            **self.world.advance(self.now, 0, misbehave=False, count=True),
            "billed": LedgerEntry.objects.filter(billed=True).count(),
            "unsettled": LedgerEntry.objects.exclude(state="confirmed", dirty=False).count(),
            "aside": DeadLetter.objects.waiting().count(),
            "leases": MailboxState.objects.exclude(lease_token=None).count(),
            "running": SyncRun.objects.filter(outcome="running").count(),
            "internal": SyncRun.objects.filter(error_kind="internal_error").count(),
            "broken": [violation.invariant.value for violation in invariants.broken(self.now)],
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
    "failed emails",
    "notifications",
    "ledger",
    "syncs",
    "failed syncs",
    "emails",
    "AI units",
    "faults",
    "alerts",
)


def _print_hour(soak: Soak, hour: int, alerts: int, counted: dict[str, Any]) -> None:
    reading = soak.readings[-1]
    if hour == 1:
        print("  ".join(f"{name:>7}" for name in HEAD))
    values = (
        *(hour, round(time.monotonic() - soak.begun), round(reading.rss_mb, 1)),
        *(reading.files, reading.sockets, reading.threads, reading.database_connections),
        *(reading.rows["sync_syncrun"], reading.rows["sync_setasideemail"], reading.rows["notices_notice"]),
        *(reading.rows["sync_ledgerentry"], sum(soak.runs.values()), soak.runs["failed"]),
        *(counted["emails"], counted["ai_units"], counted["faults"], alerts),
    )
    cells = (f"{value:>{max(7, len(name))}}" for name, value in zip(HEAD, values, strict=True))
    print("  ".join(cells), flush=True)


def _report(soak: Soak, counted: dict[str, Any]) -> int:
    judged_readings = [reading for reading in soak.readings if reading.hour > WARM_UP * soak.hours]
    lines = judged(judged_readings) if len(judged_readings) > 1 else []
    rows = [
        [
            line.name,
            f"{line.first:.1f}",
            f"{line.last:.1f}",
            f"{line.most:.1f}",
            f"{line.per_day:+.1f}",
            "flat" if line.flat else "GROWS",
        ]
        for line in lines
    ]
    print(f"\nafter {WARM_UP * soak.hours:g} hours of warm-up, until hour {soak.hours:g}:")
    print(table(["", "first", "last", "largest", "per day", ""], rows))
    last = soak.readings[-1]
    print(
        f"sync_activity: {last.rows['sync_activity']:,} rows, one per bucket and hour with new mail, stored for 13 months"
    )
    for name in WITH_MAIL:
        each = 1e6 * last.megabytes[name] / max(1, last.rows[name])
        print(f"{name}: {last.rows[name]:,} rows, {last.megabytes[name]:.1f} MB, {each:.0f} bytes per row")
    print(f"runs: {dict(soak.runs)}")
    print(f"at the end: {counted}")
    failures = _failures(counted)
    for text in failures:
        print(f"WRONG: {text}")
    return int(bool(failures) or not all(line.flat for line in lines))


def _failures(counted: dict[str, Any]) -> list[str]:
    failures = []
    if counted["missing"] > counted["aside"]:
        failures.append(
            f"{counted['missing']} emails have no comment in Re:infer, but only {counted['aside']} are failed emails"
        )
    if not counted["ai_units"] == counted["comments"] == counted["billed"]:
        failures.append(
            f"{counted['ai_units']} AI units, {counted['comments']} comments, {counted['billed']} billed ledger entries"
        )
    failures += [
        f"{name}: {counted[name]}"
        for name in ("text_changes", "unsettled", "leases", "running", "internal", "broken")
        if counted[name]
    ]
    return failures


# ---- processes and database -------------------------------------------------------------------------------------------


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
        raise SystemExit(
            "The soak test requires a PostgreSQL server in DATABASE_URL. It creates its own database there."
        )
    name = f"soak_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        # The test is faster if commits do not wait for the disk. After a crash of the machine, this database is not needed.
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
