"""Store notifications and their deliveries in the transaction of the event (transactional outbox).

A notification of a kind in `RECOVERY` stays open until the error ends. Then a notification about the recovery is
stored. If the integration or all mailboxes of a notification were deleted, the notification is closed. If some
mailboxes of the notification recovered and the rest were deleted, the recovery is announced.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from integrations.errors import IntegrationError
from integrations.models import Integration
from mailboxes.models import Mailbox
from notifications.models import Delivery, Notification, NotificationKind, Webhook

RECOVERY = {
    NotificationKind.INTEGRATION_DISABLED: NotificationKind.INTEGRATION_RECOVERED,
    NotificationKind.MAILBOX_DISABLED: NotificationKind.MAILBOX_RECOVERED,
    NotificationKind.STANDING_STILL: NotificationKind.GOING_ON,
    NotificationKind.FOLDER_LEFT_OUT: NotificationKind.FOLDER_RECOVERED,
}

LOCK = 7_261_904_533
"""Key of the PostgreSQL advisory lock for standstill notifications: an arbitrary number that no other code uses."""
GROUPING_DELAY = timedelta(minutes=1)
"""A notification about an error that several mailboxes can share is sent after this delay. One error can stop 400
mailboxes within a minute, and because of the delay one notification contains the number of all these mailboxes."""


@transaction.atomic
def announce_stopped(name: str, why: str, cause: str, *, integration_id: int, mailbox_id: int, bucket: str) -> None:
    """Announce that a mailbox stopped because of an error that other mailboxes of the integration can share.

    If there is an open notification about the same error, the mailbox is added to it, and no other notification is stored.

    Args:
        name: Name of the mailbox.
        why: The reason, as a sentence.
        cause: Kind of the error.
        integration_id: Primary key of the integration.
        mailbox_id: Primary key of the mailbox.
        bucket: `project/name` of the bucket.
    """
    open_notifications = Notification.objects.select_for_update().filter(
        kind=NotificationKind.MAILBOX_DISABLED, open=True, integration_id=integration_id, cause=cause
    )
    notification = open_notifications.first()
    if notification is None:
        announce(
            NotificationKind.MAILBOX_DISABLED,
            f"{name} stopped: {why}",
            integration_id=integration_id,
            mailbox_id=mailbox_id,
            facts={"error": cause, "mailboxes": 1, "bucket": bucket},
            cause=cause,
        )
        return
    notification.mailboxes = sorted({*notification.mailboxes, mailbox_id})
    count = notification.facts["mailboxes"] + 1
    notification.facts = {**notification.facts, "mailboxes": count}
    notification.text = f"{name} and {count - 1:,} more mailbox{'es' if count > 2 else ''} stopped: {why}"
    notification.save(update_fields=["mailboxes", "facts", "text"])


@transaction.atomic
def announce_left_out(
    name: str, folders: int, error: IntegrationError, *, integration_id: int, mailbox_id: int
) -> None:
    """Announce that some folders of a mailbox cannot be read.

    Mailboxes of one integration that have the same error within `GROUPING_DELAY` share one notification.

    Args:
        name: Name of the mailbox.
        folders: Number of folders that cannot be read.
        error: The error.
        integration_id: Primary key of the integration.
        mailbox_id: Primary key of the mailbox.
    """
    notification = _recent_notification(error.kind, integration_id, mailbox_id)
    if notification is None:
        count = "1 folder" if folders == 1 else f"{folders:,} folders"
        announce(
            NotificationKind.FOLDER_LEFT_OUT,
            f"{count} of {name} cannot be read and {'is' if folders == 1 else 'are'} left out. {error}",
            integration_id=integration_id,
            mailbox_id=mailbox_id,
            facts={"error": error.kind, "mailboxes": 1, "folders": folders},
            cause=error.kind,
        )
        return
    notification.mailboxes = sorted({*notification.mailboxes, mailbox_id})
    mailboxes, folders = notification.facts["mailboxes"] + 1, notification.facts["folders"] + folders
    notification.facts = {**notification.facts, "mailboxes": mailboxes, "folders": folders}
    notification.text = f"{folders:,} folders of {mailboxes:,} mailboxes cannot be read and are left out. {error}"
    notification.save(update_fields=["mailboxes", "facts", "text"])


def _recent_notification(cause: str, integration_id: int, mailbox_id: int) -> Notification | None:
    """Return the open notification about an error to which a mailbox can be added; None if there is none.

    This notification is newer than `GROUPING_DELAY`. The mailbox is removed from all open notifications about this error,
    so that the recovery of the mailbox is announced only once.
    """
    candidates = Notification.objects.select_for_update().filter(
        kind=NotificationKind.FOLDER_LEFT_OUT, open=True, integration_id=integration_id, cause=cause
    )
    recent = None
    for notification in candidates.order_by("created_at"):
        if mailbox_id in notification.mailboxes:
            notification.mailboxes = [other for other in notification.mailboxes if other != mailbox_id]
            notification.open = bool(notification.mailboxes)
            notification.facts = {**notification.facts, "mailboxes": notification.facts["mailboxes"] - 1}
            notification.save(update_fields=["mailboxes", "open", "facts"])
        if notification.open and notification.created_at > timezone.now() - GROUPING_DELAY:
            recent = notification
    return recent


@transaction.atomic
def announce(
    kind: NotificationKind,
    text: str,
    *,
    integration_id: int | None = None,
    mailbox_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
    cause: str = "",
) -> None:
    """Store a notification and its deliveries: one for each enabled webhook that receives this kind, and one by email.

    The delivery by email is stored only if `NOTICES_MAIL_TO` is set.

    Args:
        kind: The kind of the notification.
        text: The text in one or more sentences.
        integration_id: Primary key of the integration that the event belongs to.
        mailbox_id: Primary key of the mailbox that the event belongs to.
        facts: Ids, names, numbers and reasons as JSON values; never content of emails and never a secret.
        cause: Kind of the error, if several mailboxes can share the error. The deliveries are then due after
            `GROUPING_DELAY`.
    """
    notification = Notification.objects.create(
        kind=kind,
        text=text,
        facts=dict(facts or {}),
        integration_id=integration_id,
        mailbox_id=mailbox_id,
        open=kind in RECOVERY,
        cause=cause,
        mailboxes=[mailbox_id] if cause else [],
    )
    now = timezone.now() + (GROUPING_DELAY if cause else timedelta(0))
    webhooks = [
        webhook for webhook in Webhook.objects.filter(enabled=True) if not webhook.events or kind in webhook.events
    ]
    deliveries = [Delivery(notice=notification, webhook=webhook, next_at=now) for webhook in webhooks]
    if settings.NOTICES_MAIL_TO:
        deliveries.append(Delivery(notice=notification, webhook=None, next_at=now))
    Delivery.objects.bulk_create(deliveries)


@transaction.atomic
def update_standstills(found: Mapping[str, str]) -> None:
    """Announce new standstills of the installation, and the end of earlier standstills.

    Several processes can call this function at any time: the open notifications show which standstills are announced
    already.

    Args:
        found: The present standstills, as a mapping from kind to description.
    """
    _lock_standstills()
    open_standstills = Notification.objects.filter(kind=NotificationKind.STANDING_STILL, open=True)
    over = open_standstills.exclude(facts__standstill__in=list(found))
    for notification in over:
        announce(NotificationKind.GOING_ON, f"This standstill is over: {notification.text}", facts=notification.facts)
    over.update(open=False)
    announced = set(open_standstills.values_list("facts__standstill", flat=True))
    for kind in found.keys() - announced:
        announce(NotificationKind.STANDING_STILL, found[kind], facts={"standstill": kind})


def _lock_standstills() -> None:
    """Take an advisory lock until the end of the transaction. SQLite needs no lock: it allows one writer at a time."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def recovered(integration_id: int, mailbox_id: int, names: tuple[str, str], *, whole: bool) -> None:
    """Close the open notifications about a mailbox that synced, or about its integration, and announce the recovery.

    The mailbox is removed from a notification about several mailboxes. Such a notification is closed when it has no
    mailbox left.

    Args:
        integration_id: Primary key of the integration.
        mailbox_id: Primary key of the mailbox.
        names: The name of the integration, and the name of the mailbox.
        whole: Whether all folders of the mailbox could be read.
    """
    # This function runs after every sync, and there is nearly always no open notification. So the first query takes no
    # lock.
    open_notifications = Notification.objects.filter(open=True, integration_id=integration_id)
    if not whole:
        open_notifications = open_notifications.exclude(kind=NotificationKind.FOLDER_LEFT_OUT)
    grouped = open_notifications.exclude(cause="")
    for notification in grouped.select_for_update() if grouped.exists() else ():
        _mark_recovered(notification, mailbox_id, names[1])
    for kind, affected_id in set(open_notifications.filter(cause="").values_list("kind", "mailbox_id")):
        is_over = kind == NotificationKind.INTEGRATION_DISABLED or affected_id == mailbox_id
        if is_over and open_notifications.filter(kind=kind, mailbox_id=affected_id).update(open=False):
            name = names[affected_id is not None]
            announce(
                RECOVERY[NotificationKind(kind)],
                f"{name} syncs again.",
                integration_id=integration_id,
                mailbox_id=affected_id,
            )


def close_deleted() -> None:
    """Close the open notifications about deleted mailboxes and integrations, because these cannot recover.

    A notification about several mailboxes is closed only when none of them is left.
    """
    for pk in (
        Notification.objects.filter(open=True)
        .exclude(kind=NotificationKind.STANDING_STILL)
        .values_list("pk", flat=True)
    ):
        _close_if_deleted(pk)


@transaction.atomic
def _close_if_deleted(pk: uuid.UUID) -> None:
    notification = Notification.objects.select_for_update().filter(pk=pk, open=True).first()
    if notification is None:
        return
    mailbox_id = notification.mailbox_id
    if mailbox_id is None:
        if (
            notification.integration_id is None
            or not Integration.objects.filter(pk=notification.integration_id).exists()
        ):
            Notification.objects.filter(pk=pk).update(open=False)
        return
    affected: set[int] = set(notification.mailboxes) if notification.cause else {mailbox_id}
    existing = set(Mailbox.objects.filter(pk__in=affected).values_list("pk", flat=True))
    if existing == affected:
        return
    notification.mailboxes, notification.open = sorted(existing) if notification.cause else [], bool(existing)
    if notification.cause:
        notification.facts = {
            **notification.facts,
            "mailboxes": notification.facts["mailboxes"] - len(affected - existing),
        }
    notification.save(update_fields=["mailboxes", "open", "facts"])
    if notification.cause and not notification.open and notification.facts["mailboxes"]:
        _announce_recovered(notification, None, "")


def _mark_recovered(notification: Notification, mailbox_id: int, name: str) -> None:
    """Remove a recovered mailbox from a notification about several mailboxes. If none is left, announce the recovery."""
    if mailbox_id not in notification.mailboxes:
        return
    notification.mailboxes = [other for other in notification.mailboxes if other != mailbox_id]
    notification.open = bool(notification.mailboxes)
    notification.save(update_fields=["mailboxes", "open"])
    if not notification.open:
        _announce_recovered(notification, mailbox_id, name)


def _announce_recovered(notification: Notification, mailbox_id: int | None, name: str) -> None:
    """Announce the recovery of the mailboxes of a notification.

    `name` is the mailbox that recovered last. It is blank if the last mailboxes of the notification were deleted.
    """
    count = notification.facts["mailboxes"]
    if notification.kind == NotificationKind.FOLDER_LEFT_OUT:
        mailboxes = name or "the mailbox that was not deleted"
        text = f"All folders of {mailboxes if count == 1 else f'these {count:,} mailboxes'} can be read again."
    elif count == 1:
        text = f"{name or 'The mailbox that was not deleted'} syncs again."
    else:
        text = f"All {count:,} mailboxes that this error stopped are syncing again."
    announce(
        RECOVERY[NotificationKind(notification.kind)],
        text,
        integration_id=notification.integration_id,
        mailbox_id=mailbox_id,
        facts={"error": notification.cause, "mailboxes": count},
    )
