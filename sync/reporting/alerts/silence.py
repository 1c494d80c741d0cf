"""Alerts about mailboxes that usually receive mail and received none for a day, although they were synced.

Possible causes are a changed transport rule or a full journal mailbox.

- A bucket that receives no mail from an integration is reported after 24 hours, according to the hourly counts of
  `Activity`. Some of its mailboxes may fail, but not all.
- A single mailbox is reported after a full day in UTC, according to `MailDay`.

A mailbox counts as synced only if it completed a sync after the last request for a sync, because a mailbox that was
started again first has to push the mail that arrived while it was stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum

from mailboxes.models import Mailbox
from sync.jobs import connection_breakers
from sync.models import Activity, MailDay
from sync.reporting.alerts.group import Group
from sync.reporting.status import Tone

USUALLY = 10
"""A day without mail is reported if at least this many emails arrived on the same day of each of the last two weeks."""
DAY, WEEK = timedelta(days=1), timedelta(days=7)
Pair = tuple[int, int]
"""Primary keys of an integration and a bucket."""


def silent(now: datetime) -> Iterator[Group]:
    """Yield a group for each silent pair of integration and bucket, and for the silent mailboxes of the other pairs.

    Args:
        now: Current time, aware.

    Yields:
        Mailboxes of one integration and one bucket.
    """
    silent_pairs = dict(_buckets(now))
    yield from silent_pairs.values()
    yield from (group for pair, group in _mailboxes(now) if pair not in silent_pairs)


def _group(pair: Pair, name: str, count: int, example: int, usual: str, since: datetime, span: str) -> Group:
    integration, bucket = pair
    text = (
        f"No new email for {name} {span}; there were {usual} a week ago. The syncs that worked found none: check "
        f"whether mail still reaches {'this mailbox' if count == 1 else 'these mailboxes'}."
    )
    return Group(integration, count, example, "Silent", text, Tone.WARN, since, bucket=bucket)


def _buckets(now: datetime) -> Iterator[tuple[Pair, Group]]:
    def created(begin: datetime) -> Sum:
        return Sum("created", filter=Q(hour__gte=begin, hour__lt=begin + DAY), default=0)

    groups = (
        Activity.objects.filter(hour__gte=now - DAY - 2 * WEEK, integration__enabled=True)
        .order_by()
        .values("integration_id", "bucket_id", "bucket__project", "bucket__name")
        .annotate(today=created(now - DAY), last=created(now - DAY - WEEK), before=created(now - DAY - 2 * WEEK))
        .annotate(latest=Max("hour", filter=Q(created__gt=0)))
    )
    rows = [row for row in groups if not row["today"] and min(row["last"], row["before"]) >= USUALLY]
    synced = _synced_pairs(rows, now) if rows else {}
    for row in rows:
        pair = (row["integration_id"], row["bucket_id"])
        if pair in synced:
            count, example = synced[pair]
            name = f"{row['bucket__project']}/{row['bucket__name']}"
            usual = f"{row['last']:,} in the same 24 hours"
            yield pair, _group(pair, name, count, example, usual, row["latest"], "in the last 24 hours")


def _synced_pairs(rows: Sequence[Any], now: datetime) -> dict[Pair, tuple[int, int]]:
    """Return, for each pair, the number of its running mailboxes and the primary key of one of these mailboxes.

    A pair is included only if at least one of its mailboxes was synced in the last 24 hours, and each of the others was
    synced, too, or fails: see `_synced`.
    """
    running = Mailbox.objects.filter(
        connection_breakers.breakers_closed(),
        enabled=True,
        integration__in={row["integration_id"] for row in rows},
        bucket__in={row["bucket_id"] for row in rows},
    )
    groups = (
        running.order_by()
        .values("integration_id", "bucket_id")
        .annotate(
            count=Count("pk"),
            synced=Count("pk", filter=_synced(now - DAY)),
            failing=Count("pk", filter=_failing()),
            example=Min("pk"),
        )
    )
    return {
        (row["integration_id"], row["bucket_id"]): (row["count"], row["example"])
        for row in groups
        if row["synced"] and row["synced"] + row["failing"] == row["count"]
    }


def _failing() -> Q:
    """Return the condition for failing mailboxes. `alerts.mailboxes` reports these."""
    return Q(state__failures__gt=0)


def _synced(since: datetime) -> Q:
    """Return the condition that a mailbox completed a sync after `since` and after the last request, and does not fail."""
    return Q(state__failures=0, state__synced_at__gte=since) & Q(state__synced_at__gte=F("state__asked_at"))


def _mailboxes(now: datetime) -> Iterator[tuple[Pair, Group]]:
    """Yield the silent mailboxes.

    The query starts from the mailboxes that had mail on the same day a week ago, and uses the unique index of mailbox
    and day.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = (midnight - DAY).date()
    same = MailDay.objects.filter(mailbox=OuterRef("mailbox"))
    usual = MailDay.objects.filter(
        Exists(same.filter(day=day - 2 * WEEK, created__gte=USUALLY)),
        ~Exists(same.filter(day__gte=day)),
        day=day - WEEK,
        created__gte=USUALLY,
    )
    running = Mailbox.objects.filter(
        _synced(midnight), connection_breakers.breakers_closed(), enabled=True, integration__enabled=True
    )
    of_bucket = "mailbox__bucket__project", "mailbox__bucket__name"
    groups = (
        usual.filter(mailbox__in=running)
        .order_by()
        .values("mailbox__integration_id", "mailbox__bucket_id", *of_bucket)
        .annotate(count=Count("pk"), usual=Sum("created"), example=Min("mailbox_id"))
    )
    for row in groups:
        pair, bucket = (
            (row["mailbox__integration_id"], row["mailbox__bucket_id"]),
            "/".join(row[it] for it in of_bucket),
        )
        name = f"{row['count']:,} mailbox{'' if row['count'] == 1 else 'es'} of {bucket}"
        span, usual_mail = f"since {day:%A}, 00:00 UTC", f"{row['usual']:,} on the same day"
        yield pair, _group(pair, name, row["count"], row["example"], usual_mail, midnight - DAY, span)
