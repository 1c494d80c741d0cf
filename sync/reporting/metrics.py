"""The figures of an installation for Prometheus, read from the tables: so every web process tells the same, and nothing is
lost when one is restarted. What each means, and which to be woken for: docs/monitoring.md.

Labels are integrations, buckets, states: at most some hundreds. No mailbox, no address, and nothing of a mail is in any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Coalesce
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from integrations.models import Destination, Integration
from mailboxes.models import Bucket
from sync.jobs import poll_rate, processes
from sync.jobs.activity import hour_of
from sync.models import Activity, Comparison, DeadLetter, MailboxState, Process, Renewal, SyncedFolder, SyncRun, Tick
from sync.reporting import invariants, standstill, trends
from sync.reporting.integration_status import count_by_integration
from sync.reporting.status import Status

PREFIX = "reinfer_exchange_"
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


def exposition(now: datetime) -> bytes:
    """All figures as of now, in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(now))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        self.integrations = {row.pk: f"{row.project}/{row.name}" for row in Integration.objects.all()}
        yield from self._mailboxes()
        yield self._held()
        yield from self._queue()
        yield from self._polls()
        yield from self._work()
        yield from self._buckets()
        yield self._aside()
        yield self._left_out()
        yield self._broken()
        yield self._ticks()
        yield self._standing()
        yield from self._processes()

    def _mailboxes(self) -> Iterator[GaugeMetricFamily]:
        by_state = _gauge("mailboxes", "Mailboxes by their state.", "integration", "state")
        counts = count_by_integration(self.now)
        for pk, name in self.integrations.items():
            for status in Status:
                by_state.add_metric([name, status.value], (counts[pk].get(status, 0) if pk in counts else 0))
        yield by_state
        age = _gauge(
            "last_sync_age_seconds", "Since a sync of the least lately synced running mailbox ended.", "integration"
        )
        running = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
        rows = running.order_by().values_list("mailbox__integration_id").annotate(Min("synced_at"))
        self._by_integration(age, {pk: _seconds(at, self.now) for pk, at in rows if at is not None})
        yield age

    def _held(self) -> GaugeMetricFamily:
        held = _gauge("held", "What waits as a whole until a probe of it works.", "what")
        for what, model in (("integration", Integration), ("destination", Destination), ("bucket", Bucket)):
            held.add_metric([what], model._default_manager.filter(held_until__isnull=False).count())
        return held

    def _queue(self) -> Iterator[GaugeMetricFamily]:
        yield _one("mailboxes_running", "Mailboxes that a worker has in hand.", self._states(lease_until__gt=self.now))
        yield _one("mailboxes_queued", "Mailboxes that wait in the queue.", self._states(queued_until__gt=self.now))
        due = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
        waiting = due.annotate(due_at=Coalesce("next_sync_at", "asked_at"))
        late = waiting.filter(due_at__lte=self.now).exclude(Q(lease_until__gt=self.now))
        yield _one("mailboxes_due", "Mailboxes that are due and that no worker has in hand yet.", late.count())
        oldest = late.aggregate(at=Min("due_at"))["at"]
        yield _one("due_age_seconds", "Since the one that waits longest was due.", _seconds(oldest, self.now))
        queued = MailboxState.objects.filter(queued_until__gt=self.now).aggregate(at=Min("queued_until"))["at"]
        queue_age = _seconds(queued and queued - settings.QUEUED_FOR, self.now)
        yield _one("queue_age_seconds", "Since the oldest task in the queue was sent.", queue_age)
        lost = SyncRun.objects.filter(outcome=SyncRun.Outcome.LOST, started_at__gt=self.now - DAY)
        yield _one("workers_lost_day", "Syncs of the last 24 hours whose worker died or lost its lease.", lost.count())

    def _polls(self) -> Iterator[GaugeMetricFamily]:
        rate = poll_rate.latest(self.now)
        needed, done = (rate.needed, rate.done) if rate is not None else (0.0, 0.0)
        yield _one("polls_needed_per_second", "Polls that the intervals ask for, by the last minute.", needed)
        yield _one("polls_done_per_second", "Polls that were done in the last minute.", done)

    def _work(self) -> Iterator[GaugeMetricFamily]:
        """From the hours that are done and the one that goes on."""
        created = _gauge("comments_created_day", "Comments created in the last 24 hours.", "integration")
        updated = _gauge("comments_updated_day", "Comments updated in the last 24 hours.", "integration")
        delay = _gauge(
            "sync_delay_seconds",
            "The longest that a new email of this or the last hour waited from its arrival to its comment.",
            "integration",
        )
        day = Activity.objects.filter(hour__gt=self.now - DAY, integration__isnull=False).order_by()
        lately = Q(hour__gte=hour_of(self.now) - HOUR)
        rows = list(
            day.values("integration_id").annotate(
                new=Sum("created"), changed=Sum("updated"), wait=Max("longest_wait", filter=lately)
            )
        )
        self._by_integration(created, {row["integration_id"]: row["new"] for row in rows})
        self._by_integration(updated, {row["integration_id"]: row["changed"] for row in rows})
        self._by_integration(delay, {row["integration_id"]: row["wait"] for row in rows if row["wait"] is not None})
        yield from (created, updated, delay)

    def _buckets(self) -> Iterator[GaugeMetricFamily]:
        units = _gauge("ai_units_month", "AI units of this month, as our ledger counts them.", "bucket")
        limit = _gauge("ai_units_limit", "AI units that a month may use, where you set a limit.", "bucket")
        for bucket in trends.with_units(Bucket.objects.all(), self.now):
            units.add_metric([str(bucket)], bucket.units)
            if bucket.monthly_limit is not None:
                limit.add_metric([str(bucket)], bucket.monthly_limit)
        stored = _gauge("bucket_stored", "Comments in a bucket, as Re:infer counted them last.", "bucket")
        confirmed = _gauge("bucket_confirmed", "Comments in a bucket, as our ledger counted them then.", "bucket")
        for row in Comparison.objects.exclude(stored=None).select_related("bucket"):
            stored.add_metric([str(row.bucket)], row.stored or 0)
            confirmed.add_metric([str(row.bucket)], row.confirmed)
        lacking = _gauge("comments_to_renew", "Comments of a bucket that may lack a property of today.", "bucket")
        for renewal in Renewal.objects.exclude(left=None).select_related("bucket"):
            lacking.add_metric([str(renewal.bucket)], renewal.left or 0)
        yield from (units, limit, stored, confirmed, lacking)

    def _aside(self) -> GaugeMetricFamily:
        aside = _gauge("set_aside", "Emails that are set aside and wait.", "integration")
        rows = DeadLetter.objects.waiting().order_by().values_list("mailbox__integration_id").annotate(Count("pk"))
        self._by_integration(aside, dict.fromkeys(self.integrations, 0) | dict(rows))
        return aside

    def _left_out(self) -> GaugeMetricFamily:
        folders = _gauge("folders_left_out", "Folders that cannot be read, of mailboxes that run.", "integration")
        running = SyncedFolder.objects.left_out().filter(mailbox__enabled=True, mailbox__integration__enabled=True)
        rows = running.order_by().values_list("mailbox__integration_id").annotate(Count("pk"))
        self._by_integration(folders, dict.fromkeys(self.integrations, 0) | dict(rows))
        return folders

    def _broken(self) -> GaugeMetricFamily:
        found = invariants.broken(self.now)
        broken = _gauge(
            "broken", "What must never be, and is: mailboxes, comments or texts that it concerns.", "invariant"
        )
        for invariant in invariants.Invariant:
            broken.add_metric([invariant.value], sum(it.count for it in found if it.invariant is invariant))
        return broken

    def _ticks(self) -> GaugeMetricFamily:
        """Ages, not times: the clock of the database and that of the monitoring may differ."""
        ticks = _gauge(
            "tick_age_seconds", "Since a periodic task last ran: beat, broker and a worker are well.", "task"
        )
        for tick in Tick.objects.all():
            ticks.add_metric([tick.name], _seconds(tick.at, self.now))
        return ticks

    def _standing(self) -> GaugeMetricFamily:
        found = standstill.found(self.now)
        standing = _gauge(
            "standing_still_seconds", "Since when something stands still, by what; 0: it does not.", "what"
        )
        for kind in standstill.StandstillKind:
            since = min((it.since for it in found if it.kind is kind), default=None)
            standing.add_metric([kind.value], _seconds(since, self.now))
        return standing

    def _processes(self) -> Iterator[GaugeMetricFamily]:
        alive = processes.alive(self.now)
        running = _gauge("processes", "Workers and beats that said something lately.", "kind")
        for kind in Process.Kind:
            running.add_metric([kind.value], sum(one.kind == kind for one in alive))
        yield running
        unfit = sum(bool(one.fault) for one in alive)
        yield _one("workers_unfit", "Workers that take no mailboxes through a fault of their own.", unfit)
        unreadable = len(processes.unreadable_by_all(alive))
        yield _one(
            "secrets_unreadable", "Integrations and destinations with a secret that no worker can decrypt.", unreadable
        )

    def _states(self, **wanted: datetime) -> int:
        return MailboxState.objects.filter(**wanted).count()

    def _by_integration(self, gauge: GaugeMetricFamily, values: Mapping[int, float]) -> None:
        for pk, value in values.items():
            if pk in self.integrations:
                gauge.add_metric([self.integrations[pk]], value)


def _gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, told, labels=labels)


def _one(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, told, value=value)


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
