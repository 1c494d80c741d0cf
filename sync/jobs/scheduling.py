"""Find the mailboxes that are due, and queue each of them once.

A mailbox is marked as queued by a conditional update in the database, so that two beats, or a beat and an admin, never
queue it twice. The mark expires, so a lost task only delays the sync of its mailbox.
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

_log_debounce = Debounce(60)
"""Limits the log lines about an unreachable broker to one per minute. Without the limit, every sync that ends would log
such a line."""


def dispatch(send: Send, clock: Clock = database_now) -> int:
    """Queue the mailboxes that are due, as far as the `most_at_once` of each integration allows.

    Mailboxes that the budget disabled are enabled first, if their bucket has AI units again. If the broker is
    unreachable, the function returns early, and the other mailboxes stay due.

    Args:
        send: Queues the task of a mailbox, by primary key.
        clock: Returns the current time in UTC.

    Returns:
        Number of queued mailboxes.
    """
    make_states()
    now = clock()
    budget.resume(now)
    trials = _trials(now)
    due_of: dict[int, list[int]] = {}
    for mailbox_id, integration_id in [*trials, *_due(now)]:
        due_of.setdefault(integration_id, []).append(mailbox_id)
    trial_ids = {mailbox_id for mailbox_id, _ in trials}
    queued = 0
    for integration_id, due in due_of.items():
        claimed = _claim(integration_id, due, trial_ids, now)
        queued += (count := _send_all(send, claimed))
        if count < len(claimed):
            break
    return queued


def queue_next(mailbox: Mailbox, send: Send, clock: Clock = database_now) -> int:
    """Queue the next due mailboxes of an integration when one of its syncs ended.

    Without this, an integration could do at most `most_at_once` syncs between two calls of `dispatch`, however short
    the syncs are.

    Args:
        mailbox: The mailbox whose sync ended.
        send: Queues the task of a mailbox, by primary key.
        clock: Returns the current time in UTC.

    Returns:
        Number of queued mailboxes.
    """
    now = clock()
    integration = Integration.objects.get(pk=mailbox.integration_id)
    if integration.is_held:
        # Start a half-open trial now: it shows whether the error concerns the connection or one mailbox.
        due = [pk for pk, _ in _trials_of(Integration, "integration", now, pk=integration.pk)]
        return _send_all(send, _claim(integration.pk, due, due, now)) if due else 0
    due = [pk for pk, _ in _due(now).filter(integration=integration)[: integration.most_at_once]]
    return _send_all(send, _claim(integration.pk, due, (), now)) if due else 0


@transaction.atomic
def _claim(integration_id: int, due: Iterable[int], trial_ids: Container[int], now: datetime) -> list[int]:
    """Mark mailboxes as queued until `most_at_once` mailboxes are `busy`, and return the marked mailboxes.

    The row lock makes concurrent calls run one after the other, so that each call sees the marks of the previous calls.
    """
    integration = Integration.objects.select_for_update().filter(pk=integration_id).first()
    if integration is None:
        return []
    claimed: list[int] = []
    free = integration.most_at_once - busy(integration_id, now)
    for mailbox_id in dict.fromkeys(due):
        if len(claimed) >= free:
            break
        claimed += [mailbox_id] * _mark(mailbox_id, now, is_trial=mailbox_id in trial_ids)
    return claimed


def _send_all(send: Send, claimed: Sequence[int]) -> int:
    """Send the tasks of marked mailboxes, and return the number of sent tasks.

    After a broker error, the mailboxes whose tasks were not sent are unmarked.
    """
    for sent, mailbox_id in enumerate(claimed):
        try:
            send(mailbox_id)
        except BrokerError as error:
            if _log_debounce.lets_pass():
                log.error("dispatch.broker_unreachable", error=type(error).__name__)
            MailboxState.objects.filter(pk__in=claimed[sent:]).update(queued_until=None)
            return sent
    return len(claimed)


def queue(mailbox_id: int, send: Send, now: datetime, *, is_trial: bool = False) -> bool:
    """Mark a mailbox as queued and send its task.

    Args:
        mailbox_id: Primary key of the mailbox.
        send: Queues the task of a mailbox, by primary key.
        now: The current time in UTC.
        is_trial: Whether the sync is a half-open trial, which runs although a circuit breaker is open.

    Returns:
        False if the mailbox is queued or running already.

    Raises:
        kombu.exceptions.OperationalError: The broker cannot be reached. The mark is removed.
    """
    if not _mark(mailbox_id, now, is_trial=is_trial):
        return False
    try:
        send(mailbox_id)
    except BrokerError:
        MailboxState.objects.filter(pk=mailbox_id).update(queued_until=None)
        raise
    return True


def _mark(mailbox_id: int, now: datetime, *, is_trial: bool) -> int:
    free = MailboxState.objects.filter(pk=mailbox_id).filter(_idle(now))
    return free.update(queued_until=now + settings.QUEUED_FOR, probe=is_trial)


def is_queued(mailbox_id: int) -> bool:
    """Return whether a mailbox is marked as queued, even if the mark has expired.

    The run that starts removes the mark.

    Args:
        mailbox_id: Primary key of the mailbox.

    Returns:
        True when a task is expected.
    """
    return MailboxState.objects.filter(pk=mailbox_id).exclude(queued_until=None).exists()


def make_states() -> None:
    """Create a state for each mailbox that has none. So code that creates a mailbox need not create its state."""
    missing = Mailbox.objects.filter(state=None).values_list("pk", flat=True)
    MailboxState.objects.bulk_create([MailboxState(mailbox_id=pk) for pk in missing], ignore_conflicts=True)


def _idle(now: datetime) -> Q:
    return (Q(queued_until=None) | Q(queued_until__lte=now)) & (Q(lease_until=None) | Q(lease_until__lte=now))


_NEVER_STARTED = Case(When(state__synced_at=None, state__pages=0, then=Value(0)), default=Value(1))
"""0 for a mailbox of which no sync has finished or read a page, otherwise 1."""
_ORDER = (_NEVER_STARTED, DUE.asc(), F("state__synced_at").asc(nulls_first=True), "pk")
"""Mailboxes of which no sync has read a page come first, then the mailboxes that have been due longest. When an integration is
stopped and started, thousands of mailboxes become due at the same time. Of those, the mailbox with the oldest last sync
comes first, so that no mailbox waits forever when an integration is started often."""


def _ready(now: datetime) -> QuerySet[Mailbox, tuple[int, int]]:
    return (
        Mailbox.objects.filter(enabled=True, integration__enabled=True)
        .filter(Q(state__queued_until=None) | Q(state__queued_until__lte=now))
        .filter(Q(state__lease_until=None) | Q(state__lease_until__lte=now))
        .exclude(processes.unreadable_by_all_workers(processes.alive(now)))  # no worker could sync them
        .order_by(*_ORDER)
        .values_list("pk", "integration_id")
    )


def _due(now: datetime) -> QuerySet[Mailbox, tuple[int, int]]:
    due = Q(state__next_sync_at=None) | Q(state__next_sync_at__lte=now)
    return _ready(now).filter(due, connection_breakers.breakers_closed())


def is_waited_for(now: datetime, patience: timedelta) -> bool:
    """Return whether a due mailbox waits for a worker, so that less urgent work should pause.

    Args:
        now: The current time in UTC.
        patience: How long a mailbox may have been due.

    Returns:
        True when a mailbox has been due for longer than `patience`.
    """
    return _due(now).filter(LessThan(DUE, now - patience)).exists()


def _trials(now: datetime) -> list[tuple[int, int]]:
    """Choose one mailbox for the half-open trial of each open circuit breaker whose wait is over.

    A mailbox is chosen only if its other circuit breakers are closed. If no such mailbox is free, none is chosen.
    """
    paths = ((Integration, "integration"), (Destination, "bucket__destination"), (Bucket, "bucket"))
    return [trial for model, path in paths for trial in _trials_of(model, path, now)]


def _trials_of(
    model: connection_breakers.BreakerModel, path: str, now: datetime, **filters: object
) -> Iterator[tuple[int, int]]:
    for row in model._default_manager.filter(held_until__lte=now, **filters):
        others = Q(**{f"{other}__held_until": None for other in connection_breakers.PATHS if other != path})
        free = _ready(now).filter(others, **{path: row})
        # A mailbox that failed may be at fault itself, so its trial would not show whether other mailboxes work. If
        # there are mailboxes without failures, wait until one of them is free.
        healthy = Q(state__failures=0)
        candidates = Mailbox.objects.filter(others, healthy, enabled=True, integration__enabled=True, **{path: row})
        first = free.filter(healthy).first() if candidates.exists() else free.first()
        if first is not None and connection_breakers.claim_trial(row, now, now + settings.HOLD_PROBE_EVERY):
            yield first


def busy(integration_id: int, now: datetime) -> int:
    """Return how many mailboxes of an integration are queued, being synced or being verified.

    Args:
        integration_id: Primary key of the integration.
        now: The current time in UTC.

    Returns:
        Number of mailboxes, for comparison with `most_at_once`.
    """
    states = MailboxState.objects.filter(mailbox__integration=integration_id)
    verified = Verification.objects.filter(mailbox__integration=integration_id, claimed_until__gt=now)
    return states.filter(Q(queued_until__gt=now) | Q(lease_until__gt=now)).count() + verified.count()
