"""Celery tasks that deliver notifications."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from notifications import delivering


# Task names must not change: the queue can contain messages with these names while an upgrade is installed.
@shared_task(name="notices.tasks.deliver_due")
def deliver_due() -> None:
    """Queue one delivery task for each webhook with due deliveries, and one task if emails are due."""
    for webhook in delivering.due_webhooks(timezone.now()):
        deliver_to.delay(webhook)


@shared_task(name="notices.tasks.deliver_to")
def deliver_to(webhook: int | None) -> None:
    """Send the due deliveries of one webhook.

    Args:
        webhook: Primary key of the webhook; None for email.
    """
    delivering.deliver(webhook, timezone.now())
