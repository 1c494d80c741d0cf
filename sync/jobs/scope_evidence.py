"""After a failed sync, collect the stored results of the other mailboxes of the same connection.

From this evidence, `sync.engine.error_scope` decides which part is at fault.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from integrations.errors import Evidence, all_errors, error_of
from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.engine.error_scope import TOGETHER, WITHIN, ConnectionEvidence
from sync.models import MailboxState, SyncRun

Outcome = SyncRun.Outcome
SUCCESSES = (Outcome.DONE, Outcome.YIELDED)
"""Outcomes of syncs that worked."""
OVERLOAD_WITHIN = timedelta(minutes=5)
"""Period in which overload errors of several mailboxes count as one overload of the connection."""


def kinds_of(evidence: Evidence) -> list[str]:
    """Return the kinds of the errors that have a class of evidence.

    Args:
        evidence: The class of evidence.

    Returns:
        The `kind` of each error class.
    """
    return [error.kind for error in all_errors() if error.evidence is evidence]


PASSWORD_KINDS = kinds_of(Evidence.PASSWORD)
"""Kinds of the errors that mean a refused sign-in."""


def collect(mailbox: Mailbox, evidence: Evidence, now: datetime) -> ConnectionEvidence:
    """Collect the evidence about the connection of a mailbox whose sync just failed.

    Runs a few queries, or none if the class of the error alone decides the scope.

    Args:
        mailbox: The mailbox whose sync failed.
        evidence: The class of evidence of the error.
        now: The current time in UTC.

    Returns:
        The evidence about the connection.
    """
    if evidence is Evidence.PASSWORD:
        return _of_password(mailbox)
    if evidence is Evidence.RESPONSE:
        integration = Integration.objects.get(pk=mailbox.integration_id)
        return ConnectionEvidence(
            breaker_evidence(integration), refused_elsewhere=_refused_elsewhere(mailbox, integration, now)
        )
    if evidence is Evidence.OVERLOAD:
        integration = Integration.objects.get(pk=mailbox.integration_id)
        return ConnectionEvidence(breaker_evidence(integration), in_a_row=_in_a_row(mailbox, now))
    return ConnectionEvidence()


def breaker_evidence(integration: Integration) -> Evidence | None:
    """Return the class of the error that keeps the circuit breaker of an integration open.

    Args:
        integration: The integration.

    Returns:
        The class of the last error that opened the breaker or kept it open. None when the breaker is closed.
    """
    error = error_of(integration.held_kind) if integration.is_held else None
    return error.evidence if error else None


def refused_a_password(prefix: str = "") -> Q:
    """Return the condition that the last sign-in of a mailbox was refused, and no person restarted the mailbox since.

    Args:
        prefix: Lookup from the filtered model to `MailboxState`, such as `state__`. Empty for states.

    Returns:
        A condition for `filter`.
    """
    return Q(**{f"{prefix}failures__gt": 0, f"{prefix}error_kind__in": PASSWORD_KINDS})


def refused_by_response(prefix: str = "") -> Q:
    """Return the condition that the last sync of a mailbox failed because the server refused a request after the sign-in.

    Args:
        prefix: Lookup from the filtered model to `MailboxState`, such as `state__`. Empty for states.

    Returns:
        A condition for `filter`.
    """
    return Q(**{f"{prefix}failures__gt": 0, f"{prefix}error_kind__in": kinds_of(Evidence.RESPONSE)})


def was_refused_a_password(mailbox: Mailbox) -> bool:
    """Return whether the last sign-in of a mailbox was refused, and no person restarted the mailbox since.

    Args:
        mailbox: The mailbox.

    Returns:
        True when it was refused.
    """
    return MailboxState.objects.filter(refused_a_password(), pk=mailbox.pk).exists()


def _of_password(mailbox: Mailbox) -> ConnectionEvidence:
    state = MailboxState.objects.get(pk=mailbox.pk)
    others = _others(mailbox).filter(state__refused_alone=False)
    return ConnectionEvidence(
        has_others=others.exists(),
        refused_elsewhere=others.filter(refused_a_password("state__")).exists(),
        refused_alone=state.refused_alone,
    )


def _others(mailbox: Mailbox) -> QuerySet[Mailbox]:
    """Return the other enabled mailboxes of the same connection. Each has a different address."""
    return Mailbox.objects.filter(integration=mailbox.integration_id, enabled=True).exclude(pk=mailbox.pk)


def _refused_elsewhere(mailbox: Mailbox, integration: Integration, now: datetime) -> bool:
    since = now - WITHIN
    if breaker_evidence(integration) is Evidence.RESPONSE and integration.held_since is not None:
        since = min(since, integration.held_since - WITHIN)
    # The limit of the start only reduces the number of rows to read: no sync is as long as two slices and two leases.
    ended = SyncRun.objects.filter(
        mailbox__integration=integration,
        started_at__gte=since - 2 * (settings.SYNC_SLICE + settings.LEASE),
        ended_at__gte=since,
    ).order_by("-ended_at")
    still_refused = Q(mailbox__in=_others(mailbox).filter(refused_by_response("state__")))
    refused = ended.filter(still_refused, outcome=Outcome.FAILED, error_kind__in=kinds_of(Evidence.RESPONSE))
    at = refused.values_list("ended_at", flat=True).first()
    return at is not None and not ended.filter(outcome__in=SUCCESSES, ended_at__gt=at).exists()


def _in_a_row(mailbox: Mailbox, now: datetime) -> int:
    """Return how many other mailboxes of the connection failed with an overload, one after the other.

    The syncs of other mailboxes that started within `OVERLOAD_WITHIN` are read from the latest backwards, until a sync
    without an overload. At most `4 * TOGETHER` syncs are read.
    """
    kinds = kinds_of(Evidence.OVERLOAD)
    begun = SyncRun.objects.filter(mailbox__integration=mailbox.integration_id, started_at__gt=now - OVERLOAD_WITHIN)
    last = begun.exclude(outcome__in=[Outcome.RUNNING, Outcome.LOST]).exclude(mailbox=mailbox).order_by("-ended_at")
    overloaded: set[int] = set()
    for other, kind in last.values_list("mailbox_id", "error_kind")[: 4 * TOGETHER]:
        if kind not in kinds:
            break
        overloaded.add(other)
    return len(overloaded)
