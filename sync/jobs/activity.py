"""What was moved, hour by hour: a few thousand rows where there are millions of runs, so that a page can draw a year. And what
each mailbox brought, day by day, so that its silence is noticed.

Runs add themselves when they end. A quiet run has nothing to add and writes nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest

from mailboxes.models import Bucket, Mailbox
from sync.engine.records import RunCounts
from sync.models import Activity, MailDay


def add(mailbox: Mailbox, counts: RunCounts, when: datetime) -> None:
    """Add these counts to the hour of `when`. Call it inside the transaction that closes the run."""
    if not (counts.created or counts.updated or counts.set_aside):
        return
    if counts.created:
        _add_to_day(mailbox, counts.created, when.astimezone(UTC).date())
    key = {"integration_id": mailbox.integration_id, "bucket_id": mailbox.bucket_id, "hour": hour_of(when)}
    # The bucket may be gone: its mailboxes were given another one while this run was at work.
    if not _add(key, counts) and Bucket.objects.filter(pk=mailbox.bucket_id).exists():
        # The first run of this hour, or one of several: who comes second finds the row of the other.
        Activity.objects.bulk_create([Activity(**key)], ignore_conflicts=True)
        _add(key, counts)


def add_text_changes(bucket: Bucket, count: int, when: datetime) -> None:
    """Texts that Re:infer counted as changed by an update that belongs to no mailbox."""
    Activity.objects.create(integration=None, bucket=bucket, hour=hour_of(when), text_changes=count)


def _add_to_day(mailbox: Mailbox, created: int, day: date) -> None:
    row = MailDay.objects.filter(mailbox=mailbox.pk, day=day)
    more = {"created": F("created") + created}
    if not row.update(**more):
        MailDay.objects.bulk_create([MailDay(mailbox_id=mailbox.pk, day=day)], ignore_conflicts=True)
        row.update(**more)


def hour_of(when: datetime) -> datetime:
    return when.replace(minute=0, second=0, microsecond=0)


SUMMED = ("created", "updated", "set_aside", "text_changes")


def _add(key: dict[str, object], counts: RunCounts) -> int:
    """The database does the sum, so that of two runs that end at once none overwrites the other."""
    values: dict[str, object] = {name: F(name) + getattr(counts, name) for name in SUMMED}
    if counts.longest_wait is not None:
        # SQLite's greatest of anything and null is null.
        values["longest_wait"] = Greatest(Coalesce("longest_wait", Value(0)), Value(counts.longest_wait))
    return Activity.objects.filter(**key).update(**values)
