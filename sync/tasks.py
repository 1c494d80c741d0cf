"""The Celery tasks. Each parses nothing and decides nothing: it calls one thing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from celery import shared_task
from django.conf import settings

from sync.jobs import bucket_audit, housekeeping, property_renewal, pruning, runner, scheduling, verification
from sync.jobs.debounce import Debounce
from sync.store.lease import database_now

log = structlog.get_logger(__name__)
_pace = Debounce(settings.DISPATCH_EVERY.total_seconds() / 2)

HINT = "PostgreSQL does not answer, or refuses to write: look at its log and its disk. All goes on by itself when it is well."


@shared_task(name="sync.tasks.dispatch")
def dispatch() -> None:
    """What beat ticks: queue every mailbox that is due. Of a burst of ticks, as the queue holds them after an outage, a process
    takes the first: that is quicker than looking again, and goes by no clock but its own."""
    if _pace.lets_pass():
        look_around()


def look_around() -> None:
    with _database_may_be_away():
        scheduling.dispatch(send=sync_mailbox.delay)
        verification.send_due(verify_mailbox.delay)
        housekeeping.ticked("dispatch", database_now())


@shared_task(name="sync.tasks.sync_mailbox")
def sync_mailbox(mailbox_id: int) -> None:
    """Sync it, unless another task has come first: brokers deliver twice, and what counted as lost may come late."""
    with _database_may_be_away():
        run = runner.run(mailbox_id) if scheduling.is_queued(mailbox_id) else None
        if run is not None:
            scheduling.go_on(run.mailbox, send=sync_mailbox.delay)


@shared_task(name="sync.tasks.verify_mailbox")
def verify_mailbox(pk: int, sent: str) -> None:
    """A slice of it, unless another task of it has come first. `sent` is the mark under which it was sent."""
    with _database_may_be_away():
        verification.go_on(pk, sent=sent)


@shared_task(name="sync.tasks.prune")
def prune() -> None:
    pruning.prune()


@shared_task(name="sync.tasks.watch")
def look() -> None:
    """What beat ticks once a minute: look at what must never be."""
    with _database_may_be_away():
        housekeeping.look()
        bucket_audit.send_due(send=compare_bucket.delay)
        property_renewal.send_due(send=renew_properties.delay)


@shared_task(name="sync.tasks.compare_bucket")
def compare_bucket(pk: int) -> None:
    with _database_may_be_away():
        bucket_audit.compare(pk)


@shared_task(name="sync.tasks.renew_properties")
def renew_properties(pk: int) -> None:
    with _database_may_be_away():
        property_renewal.renew(pk)


@contextmanager
def _database_may_be_away() -> Iterator[None]:
    """Away, full, read-only, out of connections: the task ends, and the next tick tries again. One line says so; the text of
    the error stays out of it, since it quotes what was to be written."""
    try:
        yield
    except runner.DATABASE_FAILS as error:
        log.error("database.unavailable", error=type(error).__name__, cause=type(error.__cause__).__name__, hint=HINT)
