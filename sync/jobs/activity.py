"""Add up the counts of runs: per integration, bucket and hour, and per mailbox and day.

Millions of runs are reduced to a few thousand hourly sums, so a page can draw a chart of a month. The daily sums show
when a mailbox stops receiving email.

Each run adds its counts when it ends, unless its worker was killed. A run without new comments, updated comments or
failed emails writes nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest

from mailboxes.models import Bucket, Mailbox
from sync.engine.records import RunCounts
from sync.models import Activity, MailDay


def add(mailbox: Mailbox, counts: RunCounts, when: datetime) -> None:
    """Add the counts of a run. Call this function inside the transaction that closes the run.

    Args:
        mailbox: The mailbox of the run.
        counts: The counts of the run.
        when: When the run ended, in UTC.
    """
    if not (counts.created or counts.updated or counts.set_aside):
        return
    if counts.created:
        _add_to_day(mailbox, counts.created, when.astimezone(UTC).date())
    key = {"integration_id": mailbox.integration_id, "bucket_id": mailbox.bucket_id, "hour": hour_of(when)}
    # The bucket may have been deleted during the run, after its mailboxes were moved to another bucket.
    if not _add(key, counts) and Bucket.objects.filter(pk=mailbox.bucket_id).exists():
        # This is the first run of this hour. If several runs end at the same time, one of them creates the row.
        Activity.objects.bulk_create([Activity(**key)], ignore_conflicts=True)
        _add(key, counts)


def add_text_changes(bucket: Bucket, count: int, when: datetime) -> None:
    """Record how many texts Re:infer counted as changed after updates that belong to no mailbox.

    Args:
        bucket: The bucket of the comments.
        count: Number of changed texts.
        when: When Re:infer reported the changes, in UTC.
    """
    Activity.objects.create(integration=None, bucket=bucket, hour=hour_of(when), text_changes=count)


def _add_to_day(mailbox: Mailbox, created: int, day: date) -> None:
    row = MailDay.objects.filter(mailbox=mailbox.pk, day=day)
    sums = {"created": F("created") + created}
    if not row.update(**sums):
        MailDay.objects.bulk_create([MailDay(mailbox_id=mailbox.pk, day=day)], ignore_conflicts=True)
        row.update(**sums)


def hour_of(when: datetime) -> datetime:
    """Return the start of the hour that contains a time.

    Args:
        when: The time.

    Returns:
        A time in the same time zone.
    """
    return when.replace(minute=0, second=0, microsecond=0)


SUMMED = ("created", "updated", "set_aside", "text_changes")


def _add(key: dict[str, object], counts: RunCounts) -> int:
    """Add the counts in one UPDATE, and return the number of updated rows.

    Because of the single UPDATE, two runs that end at the same time do not overwrite the counts of each other.
    """
    values: dict[str, object] = {name: F(name) + getattr(counts, name) for name in SUMMED}
    if counts.longest_wait is not None:
        # In SQLite, the greatest of a value and NULL is NULL.
        values["longest_wait"] = Greatest(Coalesce("longest_wait", Value(0)), Value(counts.longest_wait))
    return Activity.objects.filter(**key).update(**values)
