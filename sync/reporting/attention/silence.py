"""Where mail usually arrives and has not for a day, although nothing failed: a changed transport rule, a full journal.

A bucket that gets no mail of an integration at all is noticed after 24 hours, by the hours of `Activity`. A mailbox alone is
noticed when a whole day of UTC is over, by `MailDay`. Neither is told before a sync came to its end since it was asked for:
what was started anew has first to bring what arrived meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum

from mailboxes.models import Mailbox
from sync.jobs import connection_breakers
from sync.models import Activity, MailDay
from sync.reporting.attention.group import Group
from sync.reporting.status import Tone

USUALLY = 10
"""Emails on the same day of each of the last two weeks, from which on a day without any is worth a look."""
DAY, WEEK = timedelta(days=1), timedelta(days=7)
Pair = tuple[int, int]
"""An integration and a bucket."""


def silent(now: datetime) -> Iterator[Group]:
    whole = dict(_buckets(now))
    yield from whole.values()
    yield from (group for pair, group in _mailboxes(now) if pair not in whole)


def _group(pair: Pair, name: str, count: int, one: int, usual: int, since: datetime, span: str) -> Group:
    integration, bucket = pair
    text = (
        f"No new email for {name} {span}; there were {usual:,} on the same day a week ago. Nothing failed: ask whether the "
        f"mail still reaches {'this mailbox' if count == 1 else 'these mailboxes'}."
    )
    return Group(integration, count, one, "Silent", text, Tone.WARN, since, bucket=bucket)


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
    looked_at = _looked_at(rows, now) if rows else {}
    for row in rows:
        pair = (row["integration_id"], row["bucket_id"])
        if pair in looked_at:
            count, one = looked_at[pair]
            name = f"{row['bucket__project']}/{row['bucket__name']}"
            yield pair, _group(pair, name, count, one, row["last"], row["latest"], "in the last 24 hours")


def _looked_at(rows: Sequence[Any], now: datetime) -> dict[Pair, tuple[int, int]]:
    """How many running mailboxes a pair has, and one of them: of pairs in which each was looked at since it was asked for."""
    running = Mailbox.objects.filter(
        connection_breakers.not_held(),
        enabled=True,
        integration__in={row["integration_id"] for row in rows},
        bucket__in={row["bucket_id"] for row in rows},
    )
    groups = (
        running.order_by()
        .values("integration_id", "bucket_id")
        .annotate(
            count=Count("pk"),
            seen=Count("pk", filter=_seen(now - DAY)),
            broken=Count("pk", filter=_failing()),
            one=Min("pk"),
        )
    )
    return {
        (row["integration_id"], row["bucket_id"]): (row["count"], row["one"])
        for row in groups
        if row["seen"] and row["seen"] + row["broken"] == row["count"]
    }


def _failing() -> Q:
    """Those are told by themselves."""
    return Q(state__failures__gt=0)


def _seen(since: datetime) -> Q:
    """A sync came to its end since then, and since one was asked for."""
    return Q(state__failures=0, state__synced_at__gte=since) & Q(state__synced_at__gte=F("state__asked_at"))


def _mailboxes(now: datetime) -> Iterator[tuple[Pair, Group]]:
    """By the unique index of mailbox and day, from the mailboxes that had mail on that day of last week."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = (midnight - DAY).date()
    same = MailDay.objects.filter(mailbox=OuterRef("mailbox"))
    usual = MailDay.objects.filter(
        Exists(same.filter(day=day - 2 * WEEK, created__gte=USUALLY)),
        ~Exists(same.filter(day__gte=day)),
        day=day - WEEK,
        created__gte=USUALLY,
    )
    watched = Mailbox.objects.filter(
        _seen(midnight), connection_breakers.not_held(), enabled=True, integration__enabled=True
    )
    of_bucket = "mailbox__bucket__project", "mailbox__bucket__name"
    groups = (
        usual.filter(mailbox__in=watched)
        .order_by()
        .values("mailbox__integration_id", "mailbox__bucket_id", *of_bucket)
        .annotate(count=Count("pk"), usual=Sum("created"), one=Min("mailbox_id"))
    )
    for row in groups:
        pair, name = (row["mailbox__integration_id"], row["mailbox__bucket_id"]), "/".join(row[it] for it in of_bucket)
        span = f"on {day:%A}, nor since"
        yield pair, _group(pair, name, row["count"], row["one"], row["usual"], midnight - DAY, span)
