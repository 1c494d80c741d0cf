"""Which mailboxes are due, and sending each to the queue once.

The database is the referee: a mailbox is marked as queued by a conditional update, so that two beats, or a beat and an
impatient admin, never send it twice; and the mark runs out, so that a task that was lost only delays.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.lookups import LessThan
from kombu.exceptions import OperationalError as BrokerError

from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from sync.jobs import budget, connection_breakers, processes
from sync.jobs.debounce import Debounce
from sync.jobs.lateness import DUE
from sync.models import MailboxState, Verification
from sync.store.lease import Clock, database_now

log = structlog.get_logger(__name__)

Send = Callable[[int], object]

_says = Debounce(60)
"""Every sync that ends meets a broker that is away: one line tells of them."""


def dispatch(send: Send, clock: Clock = database_now) -> int:
    """Queue what is due; how many were sent. An unreachable broker ends it early, and nothing is lost."""
    make_states()
    now = clock()
    budget.resume(now)
    probes = _probes(now)
    waiting: dict[int, list[int]] = {}
    for mailbox_id, integration_id in [*probes, *_due(now)]:
        waiting.setdefault(integration_id, []).append(mailbox_id)
    probing = {mailbox_id for mailbox_id, _ in probes}
    sent = 0
    for integration_id, due in waiting.items():
        claimed = _claim(integration_id, due, probing, now)
        sent += (done := _send_all(send, claimed))
        if done < len(claimed):
            break
    return sent


def go_on(mailbox: Mailbox, send: Send, clock: Clock = database_now) -> int:
    """A sync of this mailbox ended: what is due of the same integration takes its place at once. If it waited for the next
    tick, an integration could do no more than its `most_at_once` syncs in each, however short they are."""
    now = clock()
    integration = Integration.objects.get(pk=mailbox.integration_id)
    if integration.is_held:
        # Whose fault it is, a probe shows at once.
        due = [pk for pk, _ in _probes_of(Integration, "integration", now, pk=integration.pk)]
        return _send_all(send, _claim(integration.pk, due, due, now)) if due else 0
    due = [pk for pk, _ in _due(now).filter(integration=integration)[: integration.most_at_once]]
    return _send_all(send, _claim(integration.pk, due, (), now)) if due else 0


@transaction.atomic
def _claim(integration_id: int, due: Iterable[int], probing: Container[int], now: datetime) -> list[int]:
    """Mark as queued as many of these as this integration has places for. Of two who claim at once, the second sees what
    the first one marked."""
    integration = Integration.objects.select_for_update().filter(pk=integration_id).first()
    if integration is None:
        return []
    claimed: list[int] = []
    free = integration.most_at_once - busy(integration_id, now)
    for mailbox_id in dict.fromkeys(due):
        if len(claimed) >= free:
            break
        claimed += [mailbox_id] * _mark(mailbox_id, now, probe=mailbox_id in probing)
    return claimed


def _send_all(send: Send, claimed: Sequence[int]) -> int:
    """Send what was marked; how many. Where the broker cannot be reached, the marks are taken back."""
    for sent, mailbox_id in enumerate(claimed):
        try:
            send(mailbox_id)
        except BrokerError as error:
            if _says.lets_pass():
                log.error("dispatch.broker_unreachable", error=type(error).__name__)
            MailboxState.objects.filter(pk__in=claimed[sent:]).update(queued_until=None)
            return sent
    return len(claimed)


def queue(mailbox_id: int, send: Send, now: datetime, *, probe: bool = False) -> bool:
    """Mark the mailbox as queued and send its task; False if it is queued or running already. `probe`: even though
    something is held that it hangs on, to see whether that is over.

    Raises kombu's OperationalError when the broker cannot be reached; the mark is taken back then.
    """
    if not _mark(mailbox_id, now, probe=probe):
        return False
    try:
        send(mailbox_id)
    except BrokerError:
        MailboxState.objects.filter(pk=mailbox_id).update(queued_until=None)
        raise
    return True


def _mark(mailbox_id: int, now: datetime, *, probe: bool) -> int:
    free = MailboxState.objects.filter(pk=mailbox_id).filter(_idle(now))
    return free.update(queued_until=now + settings.QUEUED_FOR, probe=probe)


def is_queued(mailbox_id: int) -> bool:
    """Whether a task of it is still awaited, also where it counts as lost by now. The run that begins takes the mark away."""
    return MailboxState.objects.filter(pk=mailbox_id).exclude(queued_until=None).exists()


def make_states() -> None:
    """Every mailbox has its state row, however it was made."""
    missing = Mailbox.objects.filter(state=None).values_list("pk", flat=True)
    MailboxState.objects.bulk_create([MailboxState(mailbox_id=pk) for pk in missing], ignore_conflicts=True)


def _idle(now: datetime) -> Q:
    return (Q(queued_until=None) | Q(queued_until__lte=now)) & (Q(lease_until=None) | Q(lease_until__lte=now))


_NEVER_BEGUN = Case(When(state__synced_at=None, state__pages=0, then=Value(0)), default=Value(1))
"""First: no sync of it ended, and none got so far that it goes on by slices."""
_ORDER = (_NEVER_BEGUN, DUE.asc(), F("state__synced_at").asc(nulls_first=True), "pk")
"""Who was never synced comes first, then who has been due longest. Stop and Start make thousands due at the same moment: of
those, the one whose last sync is oldest comes first, so that nobody starves however often that happens."""


def _ready(now: datetime) -> QuerySet[Mailbox, tuple[int, int]]:
    return (
        Mailbox.objects.filter(enabled=True, integration__enabled=True)
        .filter(Q(state__queued_until=None) | Q(state__queued_until__lte=now))
        .filter(Q(state__lease_until=None) | Q(state__lease_until__lte=now))
        .exclude(processes.opened_by_nobody(processes.alive(now)))  # to send them would help nobody
        .order_by(*_ORDER)
        .values_list("pk", "integration_id")
    )


def _due(now: datetime) -> QuerySet[Mailbox, tuple[int, int]]:
    due = Q(state__next_sync_at=None) | Q(state__next_sync_at__lte=now)
    return _ready(now).filter(due, connection_breakers.not_held())


def is_waited_for(now: datetime, patience: timedelta) -> bool:
    """Whether a mailbox has been due for so long and still waits for a worker, so that less urgent work should leave it one."""
    return _due(now).filter(LessThan(DUE, now - patience)).exists()


def _probes(now: datetime) -> list[tuple[int, int]]:
    """For each hold whose time has come, one mailbox behind it that nothing else holds back."""
    paths = ((Integration, "integration"), (Destination, "bucket__destination"), (Bucket, "bucket"))
    return [probe for model, path in paths for probe in _probes_of(model, path, now)]


def _probes_of(
    model: connection_breakers.HeldModel, path: str, now: datetime, **which: object
) -> Iterator[tuple[int, int]]:
    for row in model._default_manager.filter(held_until__lte=now, **which):
        others = Q(**{f"{other}__held_until": None for other in connection_breakers.PATHS if other != path})
        free = _ready(now).filter(others, **{path: row})
        # One that failed may be at fault itself, and would tell nothing of the others: better one of them, a moment later.
        well = Q(state__failures=0)
        behind = Mailbox.objects.filter(others, well, enabled=True, integration__enabled=True, **{path: row})
        first = free.filter(well).first() if behind.exists() else free.first()
        if first is not None and connection_breakers.claim_probe(row, now, now + settings.HOLD_PROBE_EVERY):
            yield first


def busy(integration_id: int, now: datetime) -> int:
    """How many mailboxes of an integration are queued, being synced or being verified."""
    states = MailboxState.objects.filter(mailbox__integration=integration_id)
    verified = Verification.objects.filter(mailbox__integration=integration_id, claimed_until__gt=now)
    return states.filter(Q(queued_until__gt=now) | Q(lease_until__gt=now)).count() + verified.count()
