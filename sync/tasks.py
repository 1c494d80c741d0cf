"""The Celery tasks. Each parses nothing and decides nothing: it calls one thing."""

from __future__ import annotations

from celery import shared_task

from sync import dispatching, pruning, runner, verify
from sync.lease import database_now


@shared_task(name="sync.tasks.dispatch")
def dispatch() -> None:
    """What beat ticks: queue every mailbox that is due."""
    dispatching.dispatch(send=sync_mailbox.delay)
    for pk in verify.due(database_now()):
        verify_mailbox.delay(pk)


@shared_task(name="sync.tasks.sync_mailbox")
def sync_mailbox(mailbox_id: int) -> None:
    runner.run(mailbox_id)


@shared_task(name="sync.tasks.verify_mailbox", expires=60)
def verify_mailbox(pk: int) -> None:
    verify.go_on(pk)


@shared_task(name="sync.tasks.prune")
def prune() -> None:
    pruning.prune()
