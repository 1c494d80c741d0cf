"""Add, limit, resume and delete buckets, accept comments of other programs, and create buckets at Re:infer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import ProtectedError

from access.history import Subject
from integrations import wording
from integrations.connect import open_sink
from integrations.errors import IntegrationError
from integrations.models import Destination
from mailboxes.models import Bucket
from operations.actor import Actor
from operations.results import ActionRefused, Finding, recorded
from operations.resumption import make_due
from sync.jobs import bucket_audit, connection_breakers
from sync.store.lease import Clock, database_now

PARDON = timedelta(days=1)
"""For this time after an admin resumed a bucket, failed emails do not open its circuit breaker again."""
CREATE_DEADLINE = 20.0
"""Maximum time of the creation of a bucket, in seconds. The admin waits for the result."""


def add(actor: Actor, values: Mapping[str, Any]) -> Bucket:
    """Store a new bucket.

    Args:
        actor: Who adds it.
        values: Valid values by the name of the model's field.

    Returns:
        The bucket.
    """
    row = Bucket.objects.create(**values)
    recorded(actor, f"{row} was added.", Subject.of(row))
    return row


def get_or_add(actor: Actor, destination: Destination, project: str, name: str) -> tuple[Bucket, bool]:
    """Return a bucket. Store it first if it is not stored yet.

    Args:
        actor: Who adds it.
        destination: The destination that the bucket belongs to.
        project: The project of the bucket at Re:infer.
        name: The name of the bucket in its project.

    Returns:
        The bucket, and whether it is new.
    """
    row, is_new = Bucket.objects.get_or_create(destination=destination, project=project, name=name)
    if is_new:
        recorded(actor, f"{row} was added.", Subject.of(row))
    return row, is_new


def set_limit(actor: Actor, bucket: Bucket, before: int | None, limit: int | None) -> None:
    """Change the monthly limit of a bucket.

    Args:
        actor: Who changes it.
        bucket: The bucket. The limit of the instance is set, too.
        before: The previous limit, in AI units a month; None for no limit.
        limit: The new limit, in AI units a month; None for no limit.
    """
    bucket.monthly_limit = limit
    Bucket.objects.filter(pk=bucket.pk).update(monthly_limit=limit)
    changes = [("AI units a month", wording.display_text(before), wording.display_text(limit))]
    recorded(actor, f"The limit of {bucket} was changed.", Subject.of(bucket), changes)


def delete(actor: Actor, bucket: Bucket) -> bool:
    """Delete a bucket with its ledger. Its comments stay in Re:infer.

    Args:
        actor: Who deletes it.
        bucket: The bucket.

    Returns:
        False if mailboxes still send to the bucket.
    """
    about = Subject.of(bucket)
    try:
        bucket.delete()
    except ProtectedError:
        return False
    recorded(actor, f"{bucket} was deleted.", about)
    return True


def resume(actor: Actor, bucket: Bucket, clock: Clock = database_now) -> str:
    """Close the circuit breaker of a bucket.

    For a day, emails that are refused or cannot be converted become failed emails, and the other emails are pushed.

    Args:
        actor: Who resumes it.
        bucket: The bucket.
        clock: Returns the time now, in UTC.

    Returns:
        What was done, as a sentence.
    """
    Bucket.objects.filter(pk=bucket.pk).update(refusals="", pardoned_until=clock() + PARDON)
    connection_breakers.close_breaker(bucket)
    make_due(list(bucket.mailboxes.all()))
    text = (
        f"{bucket} is resumed. For the next 24 hours, each email that Re:infer refuses or that cannot be converted becomes a "
        "failed email."
    )
    return recorded(actor, text, Subject.of(bucket))


def accept_comments(actor: Actor, bucket: Bucket) -> str | ActionRefused:
    """Accept the comments in a bucket that this product did not send. The overview no longer lists these comments.

    Args:
        actor: Who accepts them.
        bucket: The bucket.

    Returns:
        What was done, as a sentence, or that there are no such comments.
    """
    if not bucket_audit.accept(Bucket.objects.filter(pk=bucket.pk)):
        return ActionRefused(f"There are no comments of other programs in {bucket}.")
    text = (
        f"The comments of other programs in {bucket} are accepted. Before a new email is sent there, Re:infer is asked "
        "whether it has the comment already."
    )
    return recorded(actor, text, Subject.of(bucket))


def create_at_reinfer(actor: Actor, bucket: Bucket) -> Finding:
    """Create a bucket at Re:infer, and close its circuit breaker. Takes up to 20 s.

    Args:
        actor: Who creates it.
        bucket: The bucket with its destination.

    Returns:
        A positive result if the bucket exists at Re:infer now; else the error.
    """
    try:
        with open_sink(bucket.destination, bucket.project, bucket.name, deadline=CREATE_DEADLINE) as sink:
            sink.create()
    except (IntegrationError, ImproperlyConfigured) as error:
        return Finding(False, str(error))
    connection_breakers.close_breaker(bucket)
    return Finding(True, recorded(actor, f"{bucket} exists at Re:infer.", Subject.of(bucket)))
