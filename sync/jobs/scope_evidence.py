"""What the database knows of the other mailboxes of a connection, gathered when a sync failed: see
`sync.engine.error_scope`."""

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
WORKED = (Outcome.DONE, Outcome.YIELDED)
STORM_WITHIN = timedelta(minutes=5)


def kinds_of(evidence: Evidence) -> list[str]:
    """The kinds of errors of this class of evidence."""
    return [error.kind for error in all_errors() if error.evidence is evidence]


PASSWORD_KINDS = kinds_of(Evidence.PASSWORD)


def seen(mailbox: Mailbox, evidence: Evidence, now: datetime) -> ConnectionEvidence:
    """What was seen of the connection of `mailbox`, which just failed with this evidence. A few queries, and none for evidence
    that speaks for itself."""
    if evidence is Evidence.PASSWORD:
        return _of_password(mailbox)
    if evidence is Evidence.RESPONSE:
        integration = Integration.objects.get(pk=mailbox.integration_id)
        return ConnectionEvidence(
            held_for(integration), refused_elsewhere=_refused_elsewhere(mailbox, integration, now)
        )
    if evidence is Evidence.OVERLOAD:
        integration = Integration.objects.get(pk=mailbox.integration_id)
        return ConnectionEvidence(held_for(integration), in_a_row=_in_a_row(mailbox, now))
    return ConnectionEvidence()


def held_for(integration: Integration) -> Evidence | None:
    """Why it is held; None where it is not."""
    error = error_of(integration.held_kind) if integration.is_held else None
    return error.evidence if error else None


def refused_a_password(prefix: str = "") -> Q:
    """States of mailboxes whose sign-in was refused when they last tried, and that nobody started anew since."""
    return Q(**{f"{prefix}failures__gt": 0, f"{prefix}error_kind__in": PASSWORD_KINDS})


def refused_by_response(prefix: str = "") -> Q:
    """The same of mailboxes that were refused with no password at stake."""
    return Q(**{f"{prefix}failures__gt": 0, f"{prefix}error_kind__in": kinds_of(Evidence.RESPONSE)})


def was_refused_a_password(mailbox: Mailbox) -> bool:
    """Whether the last sign-in for this mailbox was refused, and nobody started it anew since."""
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
    """Running mailboxes of the same connection. Each has an address of its own."""
    return Mailbox.objects.filter(integration=mailbox.integration_id, enabled=True).exclude(pk=mailbox.pk)


def _refused_elsewhere(mailbox: Mailbox, integration: Integration, now: datetime) -> bool:
    since = now - WITHIN
    if held_for(integration) is Evidence.RESPONSE and integration.held_since is not None:
        since = min(since, integration.held_since - WITHIN)
    # A sync began at most a slice, and what a call may take, before it ended.
    ended = SyncRun.objects.filter(
        mailbox__integration=integration,
        started_at__gte=since - 2 * (settings.SYNC_SLICE + settings.LEASE),
        ended_at__gte=since,
    ).order_by("-ended_at")
    standing = Q(mailbox__in=_others(mailbox).filter(refused_by_response("state__")))
    refused = ended.filter(standing, outcome=Outcome.FAILED, error_kind__in=kinds_of(Evidence.RESPONSE))
    at = refused.values_list("ended_at", flat=True).first()
    return at is not None and not ended.filter(outcome__in=WORKED, ended_at__gt=at).exists()


def _in_a_row(mailbox: Mailbox, now: datetime) -> int:
    """How many other mailboxes of the connection failed one after the other by an overload, up to now."""
    kinds = kinds_of(Evidence.OVERLOAD)
    begun = SyncRun.objects.filter(mailbox__integration=mailbox.integration_id, started_at__gt=now - STORM_WITHIN)
    last = begun.exclude(outcome__in=[Outcome.RUNNING, Outcome.LOST]).exclude(mailbox=mailbox).order_by("-ended_at")
    alike: set[int] = set()
    for other, kind in last.values_list("mailbox_id", "error_kind")[: 4 * TOGETHER]:
        if kind not in kinds:
            break
        alike.add(other)
    return len(alike)
