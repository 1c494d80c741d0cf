"""Which mailboxes are due, and sending each to the queue once.

The database is the referee: a mailbox is marked as queued by a conditional update, so that two beats, or a beat and an
impatient admin, never send it twice; and the mark runs out, so that a task that was lost only delays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

import structlog
from django.conf import settings
from django.db.models import F, Q
from kombu.exceptions import OperationalError as BrokerError

from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from sync import budget, holds
from sync.lease import Clock, database_now
from sync.models import MailboxState

log = structlog.get_logger(__name__)

Send = Callable[[int], object]


def dispatch(send: Send, clock: Clock = database_now) -> int:
    """Queue what is due; how many were sent. An unreachable broker ends it early, and nothing is lost."""
    make_states()
    now = clock()
    budget.resume(now)
    probes = _probes(now)
    due = [*probes, *_due(now)]
    busy = _busy(now)
    sent = 0
    for mailbox_id, integration_id, most in due:
        if busy[integration_id] >= most:
            continue
        try:
            queued = queue(mailbox_id, send, now, probe=any(mailbox_id == probe for probe, _, _ in probes))
        except BrokerError as error:
            log.error("dispatch.broker_unreachable", error=type(error).__name__)
            break
        busy[integration_id] += queued
        sent += queued
    return sent


def queue(mailbox_id: int, send: Send, now: datetime, *, probe: bool = False) -> bool:
    """Mark the mailbox as queued and send its task; False if it is queued or running already. `probe`: even though
    something is held that it hangs on, to see whether that is over.

    Raises kombu's OperationalError when the broker cannot be reached; the mark is taken back then.
    """
    free = MailboxState.objects.filter(pk=mailbox_id).filter(_idle(now))
    if not free.update(queued_until=now + settings.QUEUED_FOR, probe=probe):
        return False
    try:
        send(mailbox_id)
    except BrokerError:
        MailboxState.objects.filter(pk=mailbox_id).update(queued_until=None)
        raise
    return True


def is_queued(mailbox_id: int) -> bool:
    """Whether a task of it is still awaited, also where it counts as lost by now. The run that begins takes the mark away."""
    return MailboxState.objects.filter(pk=mailbox_id).exclude(queued_until=None).exists()


def make_states() -> None:
    """Every mailbox has its state row, however it was made."""
    missing = Mailbox.objects.filter(state=None).values_list("pk", flat=True)
    MailboxState.objects.bulk_create([MailboxState(mailbox_id=pk) for pk in missing], ignore_conflicts=True)


def _idle(now: datetime) -> Q:
    return (Q(queued_until=None) | Q(queued_until__lte=now)) & (Q(lease_until=None) | Q(lease_until__lte=now))


def _ready(now: datetime) -> Iterable[tuple[int, int, int]]:
    return (
        Mailbox.objects.filter(enabled=True, integration__enabled=True)
        .filter(Q(state__queued_until=None) | Q(state__queued_until__lte=now))
        .filter(Q(state__lease_until=None) | Q(state__lease_until__lte=now))
        .order_by(F("state__next_sync_at").asc(nulls_first=True), "pk")
        .values_list("pk", "integration_id", "integration__most_at_once")
    )


def _due(now: datetime) -> list[tuple[int, int, int]]:
    due = Q(state__next_sync_at=None) | Q(state__next_sync_at__lte=now)
    return list(_ready(now).filter(due, holds.not_held()))  # type: ignore[attr-defined]


def _probes(now: datetime) -> list[tuple[int, int, int]]:
    """For each hold whose time has come, one mailbox behind it that nothing else holds back."""
    probes = []
    for model, path in ((Integration, "integration"), (Destination, "bucket__destination"), (Bucket, "bucket")):
        for row in model._default_manager.filter(held_until__lte=now):
            others = Q(**{f"{other}__held_until": None for other in holds.PATHS if other != path})
            first = _ready(now).filter(others, **{path: row}).first()  # type: ignore[attr-defined]
            if first is not None and holds.claim_probe(row, now, now + settings.HOLD_PROBE_EVERY):
                probes.append(first)
    return probes


def _busy(now: datetime) -> Counter[int]:
    """How many mailboxes of each integration are queued or running."""
    running = MailboxState.objects.filter(Q(queued_until__gt=now) | Q(lease_until__gt=now))
    return Counter(running.values_list("mailbox__integration_id", flat=True))
