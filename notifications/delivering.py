"""Sending what is due: each webhook by itself, so that one which hangs delays no other; again with growing waits."""

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
GIVE_UP_AFTER = timedelta(days=3)
AT_ONCE = 20
CLAIMED_FOR = timedelta(minutes=10)
"""Longer than a worker can be at what it claimed: after that, it died."""
Post = Callable[[str, bytes, Mapping[str, str]], None]


def due_webhooks(now: datetime) -> list[int | None]:
    """The webhooks that something is due for; None for e-mail."""
    return list(Delivery.objects.filter(next_at__lte=now).order_by().values_list("webhook", flat=True).distinct())


def deliver(webhook: int | None, now: datetime, post: Post | None = None) -> int:
    """What is due for this webhook; how many were delivered. Stops at the first that fails: the others fare no better."""
    post = post or _post
    done = 0
    for delivery in _claimed(webhook, now):
        try:
            _mail(delivery.notice) if delivery.webhook is None else _tell(delivery, now, post)
        except (NotSent, SecretUnreadable, OSError) as problem:
            if own_fault(problem) is None:
                _again(delivery, str(problem) if isinstance(problem, NotSent) else type(problem).__name__, now)
            Delivery.objects.filter(webhook=webhook, next_at=now + CLAIMED_FOR).update(next_at=now + FIRST_WAIT)
            return done
        Delivery.objects.filter(pk=delivery.pk).update(
            delivered_at=now, next_at=None, attempts=F("attempts") + 1, last_problem=""
        )
        done += 1
    return done


@transaction.atomic
def _claimed(webhook: int | None, now: datetime) -> list[Delivery]:
    rows = Delivery.objects.filter(webhook=webhook, next_at__lte=now).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    claimed = list(rows.select_related("notice", "webhook")[:AT_ONCE])
    Delivery.objects.filter(pk__in=[row.pk for row in claimed]).update(next_at=now + CLAIMED_FOR)
    return claimed


def _tell(delivery: Delivery, now: datetime, post: Post) -> None:
    hook = delivery.webhook
    assert hook is not None
    body = json.dumps(as_json(delivery.notice)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": settings.USER_AGENT,
        "X-Notice-Id": str(delivery.notice_id),
        "X-Signature": signature(hook.secret.reveal(), body, int(now.timestamp())),
    }
    post(hook.url, body, headers)


def as_json(notice: Notification) -> dict[str, object]:
    return {
        "id": str(notice.pk),
        "kind": notice.kind,
        "text": notice.text,
        "integration_id": notice.integration_id,
        "mailbox_id": notice.mailbox_id,
        "facts": notice.facts,
        "created_at": notice.created_at.isoformat(),
    }


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    send(url, body, headers, allow_private=settings.NOTICES_ALLOW_PRIVATE)


def _mail(notice: Notification) -> None:
    # What goes wrong with SMTP is an OSError, too.
    send_mail(f"[Re:infer Exchange] {notice.get_kind_display()}", notice.text, None, settings.NOTICES_MAIL_TO)


def _again(delivery: Delivery, problem: str, now: datetime) -> None:
    """Later; or never, when it is too old to matter."""
    attempts = delivery.attempts + 1
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 12))
    too_old = now - delivery.notice.created_at > GIVE_UP_AFTER
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=attempts, last_problem=problem[:200], next_at=None if too_old else now + wait
    )
