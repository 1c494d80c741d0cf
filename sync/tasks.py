"""The Celery tasks. Each one only calls one function of `sync.jobs`."""

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
_debounce = Debounce(settings.DISPATCH_EVERY.total_seconds() / 2)

HINT = (
    "PostgreSQL does not answer or rejects writes: check its log and its disk. "
    "Syncs continue when the database works again."
)


@shared_task(name="sync.tasks.dispatch")
def dispatch() -> None:
    """Queue every mailbox that is due. Sent periodically by beat.

    After an outage the queue may hold many of these tasks. A worker process runs the first of such a burst and skips
    the rest by its own clock, which is faster than a check of the database.
    """
    if _debounce.lets_pass():
        dispatch_due()


def dispatch_due() -> None:
    """Queue every mailbox and every verification that is due."""
    with _database_may_be_unavailable():
        scheduling.dispatch(send=sync_mailbox.delay)
        verification.send_due(verify_mailbox.delay)
        housekeeping.ticked("dispatch", database_now())


@shared_task(name="sync.tasks.sync_mailbox")
def sync_mailbox(mailbox_id: int) -> None:
    """Sync a mailbox, unless another task was first.

    Brokers may deliver a task twice, and a task that counted as lost may arrive late.

    Args:
        mailbox_id: The key of the mailbox.
    """
    with _database_may_be_unavailable():
        run = runner.run(mailbox_id) if scheduling.is_queued(mailbox_id) else None
        if run is not None:
            scheduling.go_on(run.mailbox, send=sync_mailbox.delay)


@shared_task(name="sync.tasks.verify_mailbox")
def verify_mailbox(pk: int, sent: str) -> None:
    """Run a slice of a verification, unless another task of it was first.

    Args:
        pk: The key of the verification.
        sent: The mark with which the task was sent.
    """
    with _database_may_be_unavailable():
        verification.go_on(pk, sent=sent)


@shared_task(name="sync.tasks.prune")
def prune() -> None:
    """Delete old runs, settled dead letters and old counts."""
    pruning.prune()


@shared_task(name="sync.tasks.watch")
def housekeep() -> None:
    """Check invariants and queue bucket audits and property renewals that are due. Sent by beat once a minute."""
    with _database_may_be_unavailable():
        housekeeping.look()
        bucket_audit.send_due(send=compare_bucket.delay)
        property_renewal.send_due(send=renew_properties.delay)


@shared_task(name="sync.tasks.compare_bucket")
def compare_bucket(pk: int) -> None:
    """Audit a bucket.

    Args:
        pk: The key of the bucket.
    """
    with _database_may_be_unavailable():
        bucket_audit.compare(pk)


@shared_task(name="sync.tasks.renew_properties")
def renew_properties(pk: int) -> None:
    """Send missing properties of comments in a bucket.

    Args:
        pk: The key of the bucket.
    """
    with _database_may_be_unavailable():
        property_renewal.renew(pk)


@contextmanager
def _database_may_be_unavailable() -> Iterator[None]:
    """End the task with one log line when the database fails: unreachable, full, read-only or out of connections.

    The next tick retries. The log line omits the text of the error, because that text quotes what was to be written.
    """
    try:
        yield
    except runner.DATABASE_FAILS as error:
        log.error("database.unavailable", error=type(error).__name__, cause=type(error.__cause__).__name__, hint=HINT)
