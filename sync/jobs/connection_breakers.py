"""Circuit breakers of integrations, destinations and buckets.

An error that affects all mailboxes of an integration, destination or bucket opens its circuit breaker. While the
breaker is open, these mailboxes do not sync, and one alert reports the error for all of them. When the wait is over,
one mailbox syncs as a half-open trial.

The columns `held_*` of the three models store the state: `held_until` is set while the breaker is open.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from integrations.errors import IntegrationError, Scope, TooManyRefused
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox

BreakerModel = type[Integration] | type[Destination] | type[Bucket]

PATHS = ("integration", "bucket__destination", "bucket")
"""Lookups from a mailbox to the rows that have a circuit breaker."""

CLOSED = {"held_since": None, "held_until": None, "held_kind": "", "held_detail": ""}
"""Column values of a closed circuit breaker."""


def breaker_row(mailbox: Mailbox, scope: Scope) -> Integration | Destination | Bucket | None:
    """Return the row whose circuit breaker this error scope opens.

    Args:
        mailbox: The mailbox whose sync failed.
        scope: Which part is at fault.

    Returns:
        The row, or None when the scope is the mailbox, one of its folders, or this process.
    """
    match scope:
        case Scope.CONNECTION:
            return mailbox.integration
        case Scope.DESTINATION:
            return mailbox.bucket.destination
        case Scope.BUCKET:
            return mailbox.bucket
    return None


def open_breaker(
    row: Integration | Destination | Bucket, until: datetime, error: IntegrationError, now: datetime
) -> None:
    """Open a circuit breaker, or extend the wait of an open one.

    Args:
        row: The row whose circuit breaker opens.
        until: When the half-open trial may start, in UTC.
        error: The error that opens the breaker.
        now: The current time in UTC. It is stored as the start unless the breaker is open already.
    """
    type(row)._default_manager.filter(pk=row.pk).update(
        held_since=Coalesce(F("held_since"), now), held_until=until, held_kind=error.kind, held_detail=error.detail
    )


def advance_trial(row: Integration | Destination | Bucket, at: datetime) -> None:
    """Move the next half-open trial to an earlier time. An earlier trial is not moved.

    Args:
        row: The row whose circuit breaker is open.
        at: The latest start of the trial, in UTC.
    """
    type(row)._default_manager.filter(pk=row.pk, held_until__gt=at).update(held_until=at)


def delay_trial(row: Integration | Destination | Bucket, at: datetime) -> None:
    """Move the next half-open trial to a later time. A later trial is not moved.

    Args:
        row: The row whose circuit breaker is open.
        at: The earliest start of the trial, in UTC.
    """
    type(row)._default_manager.filter(pk=row.pk, held_until__lt=at).update(held_until=at)


def close_breaker(row: Integration | Destination | Bucket) -> bool:
    """Close a circuit breaker.

    Args:
        row: The row whose circuit breaker closes.

    Returns:
        Whether the breaker was open.
    """
    return bool(type(row)._default_manager.filter(pk=row.pk).exclude(held_until=None).update(**CLOSED))


def close_after_success(mailbox: Mailbox, accepted: int) -> None:
    """Close the circuit breakers of the destination and the bucket after a sync that worked.

    A breaker that opened because too many comments were refused closes only when the bucket accepted a comment. The
    breaker of the integration is closed by `sync.jobs.outcome`.

    Args:
        mailbox: The mailbox that was synced.
        accepted: Number of comments that the bucket accepted.
    """
    for row in (mailbox.bucket.destination, mailbox.bucket):
        if row.is_held and (accepted or row.held_kind != TooManyRefused.kind):
            close_breaker(row)


def has_open_breaker(mailbox: Mailbox) -> bool:
    """Return whether the circuit breaker of the integration, the destination or the bucket is open.

    Args:
        mailbox: The mailbox, with these three rows loaded.

    Returns:
        True when at least one breaker is open.
    """
    return any(row.is_held for row in (mailbox.integration, mailbox.bucket.destination, mailbox.bucket))


def breakers_closed(prefix: str = "") -> Q:
    """Return the condition that all circuit breakers of a mailbox are closed.

    A breaker whose wait is over still counts as open, because only the half-open trial may sync: see `claim_trial`.

    Args:
        prefix: Lookup from the filtered model to the mailbox, such as `mailbox__`. Empty for mailboxes.

    Returns:
        A condition for `filter`.
    """
    return Q(**{f"{prefix}{path}__held_until": None for path in PATHS})


def return_trial(mailbox: Mailbox, now: datetime) -> None:
    """Let another half-open trial start now, because the previous trial ended without a result.

    Args:
        mailbox: The mailbox that was queued as the trial.
        now: The current time in UTC.
    """
    for row in (mailbox.integration, mailbox.bucket.destination, mailbox.bucket):
        type(row)._default_manager.filter(pk=row.pk, held_until__gt=now).update(held_until=now)


def claim_trial(row: Integration | Destination | Bucket, now: datetime, until: datetime) -> bool:
    """Claim the half-open trial of a circuit breaker. If several processes try at once, one succeeds.

    Args:
        row: The row whose circuit breaker is open.
        now: The current time in UTC.
        until: When the next trial may start if the claimed trial has no result, in UTC.

    Returns:
        Whether this caller may start the trial.
    """
    claimed = type(row)._default_manager.filter(pk=row.pk, held_until__lte=now).update(held_until=until)
    return bool(claimed)
