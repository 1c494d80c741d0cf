"""The Celery tasks. Each parses nothing and decides nothing: it calls one thing."""

from __future__ import annotations

from celery import shared_task

from sync import dispatching, drift, pruning, runner, verify, watch
from sync.lease import database_now


@shared_task(name="sync.tasks.dispatch")
def dispatch() -> None:
    """What beat ticks: queue every mailbox that is due."""
    dispatching.dispatch(send=sync_mailbox.delay)
    verify.send_due(verify_mailbox.delay)
    watch.ticked("dispatch", database_now())


@shared_task(name="sync.tasks.sync_mailbox")
def sync_mailbox(mailbox_id: int) -> None:
    run = runner.run(mailbox_id)
    if run is not None:
        dispatching.go_on(run.mailbox, send=sync_mailbox.delay)


@shared_task(name="sync.tasks.verify_mailbox", expires=60)
def verify_mailbox(pk: int) -> None:
    verify.go_on(pk)


@shared_task(name="sync.tasks.prune")
def prune() -> None:
    pruning.prune()


@shared_task(name="sync.tasks.watch")
def look() -> None:
    """What beat ticks once a minute: look at what must never be."""
    watch.look()
    drift.send_due(send=compare_bucket.delay)


@shared_task(name="sync.tasks.compare_bucket", expires=600)
def compare_bucket(pk: int) -> None:
    drift.compare(pk)
