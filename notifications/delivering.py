"""Deliver due notifications, and retry failed deliveries.

Each webhook has its own task, so one slow webhook does not delay the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import F

from integrations.errors import SecretUnreadable
from integrations.product_errors import own_fault
from notifications.models import Delivery, Notification
from notifications.sending import NotSent, send
from notifications.signature import signature

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
"""The time from the first attempt to the second, and the longest time between two attempts."""
GIVE_UP_AFTER = timedelta(days=3)
"""Age of a notification after which a failed delivery is not retried."""
AT_ONCE = 20
"""Maximum number of deliveries that one task reserves."""
CLAIMED_FOR = timedelta(minutes=10)
"""How long a worker reserves deliveries. The worker needs less time to send them. If the worker is killed, the
deliveries are due again after this time."""
Post = Callable[[str, bytes, Mapping[str, str]], None]


def due_webhooks(now: datetime) -> list[int | None]:
    """Return the webhooks with due deliveries.

    Args:
        now: Current time, UTC.

    Returns:
        Primary keys of webhooks, and None if email deliveries are due.
    """
    return list(Delivery.objects.filter(next_at__lte=now).order_by().values_list("webhook", flat=True).distinct())


def deliver(webhook: int | None, now: datetime, post: Post | None = None) -> int:
    """Send the due deliveries of one webhook.

    The function stops at the first failure, because the remaining deliveries go to the same server and would fail too.

    Args:
        webhook: Primary key of the webhook; None for email.
        now: Current time, UTC.
        post: Function that sends a request to a webhook; by default over HTTP.

    Returns:
        The number of successful deliveries.
    """
    post = post or _post
    delivered = 0
    for delivery in _claim(webhook, now):
        try:
            _send_email(delivery.notice) if delivery.webhook is None else _post_to_webhook(delivery, now, post)
        except (NotSent, SecretUnreadable, OSError) as error:
            if own_fault(error) is None:
                _schedule_retry(delivery, str(error) if isinstance(error, NotSent) else type(error).__name__, now)
            # The other reserved deliveries are due again after `FIRST_WAIT`. After a fault of this process, the failed
            # delivery is, too.
            Delivery.objects.filter(webhook=webhook, next_at=now + CLAIMED_FOR).update(next_at=now + FIRST_WAIT)
            return delivered
        Delivery.objects.filter(pk=delivery.pk).update(
            delivered_at=now, next_at=None, attempts=F("attempts") + 1, last_problem=""
        )
        delivered += 1
    return delivered


@transaction.atomic
def _claim(webhook: int | None, now: datetime) -> list[Delivery]:
    """Reserve up to `AT_ONCE` due deliveries: they are due again after `CLAIMED_FOR`."""
    rows = Delivery.objects.filter(webhook=webhook, next_at__lte=now).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    claimed = list(rows.select_related("notice", "webhook")[:AT_ONCE])
    Delivery.objects.filter(pk__in=[row.pk for row in claimed]).update(next_at=now + CLAIMED_FOR)
    return claimed


def _post_to_webhook(delivery: Delivery, now: datetime, post: Post) -> None:
    webhook = delivery.webhook
    assert webhook is not None
    body = json.dumps(as_json(delivery.notice)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": settings.USER_AGENT,
        "X-Notice-Id": str(delivery.notice_id),
        "X-Signature": signature(webhook.secret.reveal(), body, int(now.timestamp())),
    }
    post(webhook.url, body, headers)


def as_json(notification: Notification) -> dict[str, object]:
    """Return the JSON object that is sent to webhooks.

    Args:
        notification: The notification.

    Returns:
        The object, ready for `json.dumps`.
    """
    return {
        "id": str(notification.pk),
        "kind": notification.kind,
        "text": notification.text,
        "integration_id": notification.integration_id,
        "mailbox_id": notification.mailbox_id,
        "facts": notification.facts,
        "created_at": notification.created_at.isoformat(),
    }


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    send(url, body, headers, allow_private=settings.NOTICES_ALLOW_PRIVATE)


def _send_email(notification: Notification) -> None:
    # `deliver` handles SMTP errors, because they are subclasses of OSError.
    send_mail(
        f"[Re:infer Exchange] {notification.get_kind_display()}", notification.text, None, settings.NOTICES_MAIL_TO
    )


def _schedule_retry(delivery: Delivery, problem: str, now: datetime) -> None:
    """Schedule a retry, or give up when the notification is older than `GIVE_UP_AFTER`.

    The wait doubles after each attempt, up to `LONGEST_WAIT`.
    """
    attempts = delivery.attempts + 1
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 12))
    too_old = now - delivery.notice.created_at > GIVE_UP_AFTER
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=attempts, last_problem=problem[:200], next_at=None if too_old else now + wait
    )
