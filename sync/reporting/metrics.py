"""Export the metrics of an installation for Prometheus.

The values come from the database, so every web process returns the same values and a restart loses none. For the
meaning of each metric, and for alerting rules, see docs/monitoring.md.

Labels are integrations, buckets and names from fixed lists, such as states: some hundreds at most. No label contains a
mailbox, an address or email content.
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
    """Return all metrics in the text format of Prometheus.

    Args:
        now: Current time, aware.

    Returns:
        The body of the response.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_DatabaseCollector(now))
    return generate_latest(registry)


class _DatabaseCollector(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all metrics."""
        self.integrations = {row.pk: f"{row.project}/{row.name}" for row in Integration.objects.all()}
        yield from self._mailboxes()
        yield self._breakers()
        yield from self._queue()
        yield from self._polls()
        yield from self._work()
        yield from self._buckets()
        yield self._dead_letters()
        yield self._left_out()
        yield self._broken()
        yield self._ticks()
        yield self._standing()
        yield from self._processes()

    def _mailboxes(self) -> Iterator[GaugeMetricFamily]:
        by_state = _gauge("mailboxes", "Mailboxes by state.", "integration", "state")
        counts = count_by_integration(self.now)
        for pk, name in self.integrations.items():
            for status in Status:
                by_state.add_metric([name, status.value], (counts[pk].get(status, 0) if pk in counts else 0))
        yield by_state
        age = _gauge(
            "last_sync_age_seconds",
            "The longest time since the last complete sync of a running mailbox ended.",
            "integration",
        )
        running = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
        rows = running.order_by().values_list("mailbox__integration_id").annotate(Min("synced_at"))
        self._by_integration(age, {pk: _seconds(at, self.now) for pk, at in rows if at is not None})
        yield age

    def _breakers(self) -> GaugeMetricFamily:
        breakers = _gauge("held", "Open circuit breakers of integrations, destinations and buckets.", "what")
        for what, model in (("integration", Integration), ("destination", Destination), ("bucket", Bucket)):
            breakers.add_metric([what], model._default_manager.filter(held_until__isnull=False).count())
        return breakers

    def _queue(self) -> Iterator[GaugeMetricFamily]:
        yield _one("mailboxes_running", "Mailboxes that a worker is syncing.", self._states(lease_until__gt=self.now))
        yield _one("mailboxes_queued", "Mailboxes that wait in the queue.", self._states(queued_until__gt=self.now))
        due = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
        waiting = due.annotate(due_at=Coalesce("next_sync_at", "asked_at"))
        late = waiting.filter(due_at__lte=self.now).exclude(Q(lease_until__gt=self.now))
        yield _one("mailboxes_due", "Mailboxes that are due and that no worker is syncing yet.", late.count())
        oldest = late.aggregate(at=Min("due_at"))["at"]
        yield _one("due_age_seconds", "Time since the mailbox that waits longest was due.", _seconds(oldest, self.now))
        queued = MailboxState.objects.filter(queued_until__gt=self.now).aggregate(at=Min("queued_until"))["at"]
        queue_age = _seconds(queued and queued - settings.QUEUED_FOR, self.now)
        yield _one("queue_age_seconds", "Time since the oldest task in the queue was sent.", queue_age)
        lost = SyncRun.objects.filter(outcome=SyncRun.Outcome.LOST, started_at__gt=self.now - DAY)
        yield _one(
            "workers_lost_day",
            "Syncs of the last 24 hours that lost their lease, or whose worker died, stopped or failed.",
            lost.count(),
        )

    def _polls(self) -> Iterator[GaugeMetricFamily]:
        rate = poll_rate.latest(self.now)
        needed, done = (rate.needed, rate.done) if rate is not None else (0.0, 0.0)
        yield _one("polls_needed_per_second", "Polls that the poll intervals required in the last minute.", needed)
        yield _one("polls_done_per_second", "Polls that were done in the last minute.", done)

    def _work(self) -> Iterator[GaugeMetricFamily]:
        """Yield the sums of the last 24 hours, from the hourly counts."""
        created = _gauge("comments_created_day", "Comments created in the last 24 hours.", "integration")
        updated = _gauge("comments_updated_day", "Comments updated in the last 24 hours.", "integration")
        delay = _gauge(
            "sync_delay_seconds",
            "The longest time from the arrival of a new email to its comment, in this hour and the previous one.",
            "integration",
        )
        day = Activity.objects.filter(hour__gt=self.now - DAY, integration__isnull=False).order_by()
        recent = Q(hour__gte=hour_of(self.now) - HOUR)
        rows = list(
            day.values("integration_id").annotate(
                new=Sum("created"), changed=Sum("updated"), wait=Max("longest_wait", filter=recent)
            )
        )
        self._by_integration(created, {row["integration_id"]: row["new"] for row in rows})
        self._by_integration(updated, {row["integration_id"]: row["changed"] for row in rows})
        self._by_integration(delay, {row["integration_id"]: row["wait"] for row in rows if row["wait"] is not None})
        yield from (created, updated, delay)

    def _buckets(self) -> Iterator[GaugeMetricFamily]:
        units = _gauge("ai_units_month", "AI units of this month, as the ledger counts them.", "bucket")
        limit = _gauge("ai_units_limit", "The monthly limit of AI units, where one is set.", "bucket")
        for bucket in trends.with_units(Bucket.objects.all(), self.now):
            units.add_metric([str(bucket)], bucket.units)
            if bucket.monthly_limit is not None:
                limit.add_metric([str(bucket)], bucket.monthly_limit)
        stored = _gauge("bucket_stored", "Comments in a bucket, as Re:infer counted them in the last audit.", "bucket")
        confirmed = _gauge(
            "bucket_confirmed", "Comments in a bucket, as the ledger counted them in the last audit.", "bucket"
        )
        for row in Comparison.objects.exclude(stored=None).select_related("bucket"):
            stored.add_metric([str(row.bucket)], row.stored or 0)
            confirmed.add_metric([str(row.bucket)], row.confirmed)
        to_renew = _gauge(
            "comments_to_renew",
            "Comments of a bucket that may lack a property that the current version pushes.",
            "bucket",
        )
        for renewal in Renewal.objects.exclude(left=None).select_related("bucket"):
            to_renew.add_metric([str(renewal.bucket)], renewal.left or 0)
        yield from (units, limit, stored, confirmed, to_renew)

    def _dead_letters(self) -> GaugeMetricFamily:
        failed = _gauge("set_aside", "Failed emails that wait for a retry or a decision.", "integration")
        rows = DeadLetter.objects.waiting().order_by().values_list("mailbox__integration_id").annotate(Count("pk"))
        self._by_integration(failed, dict.fromkeys(self.integrations, 0) | dict(rows))
        return failed

    def _left_out(self) -> GaugeMetricFamily:
        folders = _gauge("folders_left_out", "Folders of running mailboxes that cannot be read.", "integration")
        running = SyncedFolder.objects.left_out().filter(mailbox__enabled=True, mailbox__integration__enabled=True)
        rows = running.order_by().values_list("mailbox__integration_id").annotate(Count("pk"))
        self._by_integration(folders, dict.fromkeys(self.integrations, 0) | dict(rows))
        return folders

    def _broken(self) -> GaugeMetricFamily:
        found = invariants.broken(self.now)
        broken = _gauge("broken", "Mailboxes, comments or texts that violate an invariant.", "invariant")
        for invariant in invariants.Invariant:
            broken.add_metric([invariant.value], sum(it.count for it in found if it.invariant is invariant))
        return broken

    def _ticks(self) -> GaugeMetricFamily:
        """Return ages instead of times: the clocks of the database and of the monitoring may differ."""
        ticks = _gauge(
            "tick_age_seconds",
            "Time since a periodic task last ran. A low value shows that beat, broker and a worker work.",
            "task",
        )
        for tick in Tick.objects.all():
            ticks.add_metric([tick.name], _seconds(tick.at, self.now))
        return ticks

    def _standing(self) -> GaugeMetricFamily:
        found = standstill.found(self.now)
        standing = _gauge(
            "standing_still_seconds", "Duration of a standstill of this kind; 0 if there is none.", "what"
        )
        for kind in standstill.StandstillKind:
            since = min((it.since for it in found if it.kind is kind), default=None)
            standing.add_metric([kind.value], _seconds(since, self.now))
        return standing

    def _processes(self) -> Iterator[GaugeMetricFamily]:
        alive = processes.alive(self.now)
        running = _gauge("processes", "Workers and beats with a recent heartbeat.", "kind")
        for kind in Process.Kind:
            running.add_metric([kind.value], sum(one.kind == kind for one in alive))
        yield running
        unfit = sum(bool(one.fault) for one in alive)
        yield _one("workers_unfit", "Workers that take no mailboxes because of a fault of their own.", unfit)
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


def _gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, description, labels=labels)


def _one(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, description, value=value)


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
