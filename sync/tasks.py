"""The Celery tasks of the sync. Each task only calls functions of `sync.jobs`."""

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
    """Queue the mailboxes and verifications that are due. Sent periodically by beat.

    After an outage the queue may contain many of these tasks. A worker process runs the first of them and skips the
    others for half of `DISPATCH_EVERY`. The process measures this time with its own clock, because a query of the
    database's clock would be slower.
    """
    if _debounce.lets_pass():
        dispatch_due()


def dispatch_due() -> None:
    """Queue the mailboxes and verifications that are due, as far as the `most_at_once` of each integration allows."""
    with _database_may_be_unavailable():
        scheduling.dispatch(send=sync_mailbox.delay)
        verification.send_due(verify_mailbox.delay)
        housekeeping.record_tick("dispatch", database_now())


@shared_task(name="sync.tasks.sync_mailbox")
def sync_mailbox(mailbox_id: int) -> None:
    """Sync a mailbox, unless another task has already started that sync. Then queue the next due mailboxes.

    Two tasks for one sync are possible: a broker may deliver a task twice, and a task that was assumed to be lost may
    arrive late.

    Args:
        mailbox_id: Primary key of the mailbox.
    """
    with _database_may_be_unavailable():
        run = runner.run(mailbox_id) if scheduling.is_queued(mailbox_id) else None
        if run is not None:
            scheduling.queue_next(run.mailbox, send=sync_mailbox.delay)


@shared_task(name="sync.tasks.verify_mailbox")
def verify_mailbox(pk: int, sent: str) -> None:
    """Run one time slice of a verification, unless another task has already started that slice.

    Args:
        pk: Primary key of the verification.
        sent: The mark of the task: the time from which the task counts as lost, in ISO format. The task does nothing if
            the verification has another mark.
    """
    with _database_may_be_unavailable():
        verification.run_slice(pk, sent=sent)


@shared_task(name="sync.tasks.prune")
def prune() -> None:
    """Delete old records: see `sync.jobs.pruning`."""
    pruning.prune()


@shared_task(name="sync.tasks.watch")
def housekeep() -> None:
    """Check invariants, and queue the bucket audits and property renewals that are due. Sent by beat once a minute."""
    with _database_may_be_unavailable():
        housekeeping.run_checks()
        bucket_audit.send_due(send=compare_bucket.delay)
        property_renewal.send_due(send=renew_properties.delay)


@shared_task(name="sync.tasks.compare_bucket")
def compare_bucket(pk: int) -> None:
    """Audit a bucket.

    Args:
        pk: Primary key of the bucket.
    """
    with _database_may_be_unavailable():
        bucket_audit.compare(pk)


@shared_task(name="sync.tasks.renew_properties")
def renew_properties(pk: int) -> None:
    """Push properties that comments in a bucket lack.

    Args:
        pk: Primary key of the bucket.
    """
    with _database_may_be_unavailable():
        property_renewal.renew(pk)


@contextmanager
def _database_may_be_unavailable() -> Iterator[None]:
    """End the task with one log line when the database fails, for example because it is unreachable, full or read-only.

    A later periodic task retries. The log line omits the text of the error, because that text may quote the values of
    the failed statement.
    """
    try:
        yield
    except runner.DATABASE_FAILS as error:
        log.error("database.unavailable", error=type(error).__name__, cause=type(error.__cause__).__name__, hint=HINT)
