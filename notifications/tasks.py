"""Celery's part of it: a tick that sends each webhook's share to the queue."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from notifications import delivering


# The names are those of messages that wait in a queue while a release is installed.
@shared_task(name="notices.tasks.deliver_due")
def deliver_due() -> None:
    for webhook in delivering.due_webhooks(timezone.now()):
        deliver_to.delay(webhook)


@shared_task(name="notices.tasks.deliver_to")
def deliver_to(webhook: int | None) -> None:
    delivering.deliver(webhook, timezone.now())
