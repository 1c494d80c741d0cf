"""Writing down what others shall be told, in the transaction in which it happens."""

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
"""The number of the lock under which standstills are told; any number that nobody else locks."""
GATHER = timedelta(minutes=1)
"""One cause can stop four hundred mailboxes within a minute: the notice waits so long, and counts them."""


@transaction.atomic
def announce_stopped(name: str, why: str, cause: str, *, integration_id: int, mailbox_id: int, bucket: str) -> None:
    """A mailbox stands still for a cause that others of its integration may share: one notice tells of all of them."""
    standing = Notification.objects.select_for_update().filter(
        kind=NotificationKind.MAILBOX_DISABLED, open=True, integration_id=integration_id, cause=cause
    )
    notice = standing.first()
    if notice is None:
        announce(
            NotificationKind.MAILBOX_DISABLED,
            f"{name} stopped: {why}",
            integration_id=integration_id,
            mailbox_id=mailbox_id,
            facts={"error": cause, "mailboxes": 1, "bucket": bucket},
            cause=cause,
        )
        return
    notice.mailboxes = sorted({*notice.mailboxes, mailbox_id})
    count = notice.facts["mailboxes"] + 1
    notice.facts = {**notice.facts, "mailboxes": count}
    notice.text = f"{name} and {count - 1:,} more mailbox{'es' if count > 2 else ''} stopped: {why}"
    notice.save(update_fields=["mailboxes", "facts", "text"])


@transaction.atomic
def announce_left_out(
    name: str, folders: int, error: IntegrationError, *, integration_id: int, mailbox_id: int
) -> None:
    """Folders of a mailbox cannot be read, and others can. One notice tells of all mailboxes of the integration to which that
    happens within `GATHER`."""
    notice = _told_just_now(error.kind, integration_id, mailbox_id)
    if notice is None:
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
    notice.mailboxes = sorted({*notice.mailboxes, mailbox_id})
    mailboxes, folders = notice.facts["mailboxes"] + 1, notice.facts["folders"] + folders
    notice.facts = {**notice.facts, "mailboxes": mailboxes, "folders": folders}
    notice.text = f"{folders:,} folders of {mailboxes:,} mailboxes cannot be read and are left out. {error}"
    notice.save(update_fields=["mailboxes", "facts", "text"])


def _told_just_now(cause: str, integration_id: int, mailbox_id: int) -> Notification | None:
    """The notice that is still waiting for more. What was told of this mailbox before is told by the next one from now on, so
    that its recovery is told once."""
    alike = Notification.objects.select_for_update().filter(
        kind=NotificationKind.FOLDER_LEFT_OUT, open=True, integration_id=integration_id, cause=cause
    )
    recent = None
    for notice in alike.order_by("created_at"):
        if mailbox_id in notice.mailboxes:
            notice.mailboxes = [other for other in notice.mailboxes if other != mailbox_id]
            notice.open = bool(notice.mailboxes)
            notice.facts = {**notice.facts, "mailboxes": notice.facts["mailboxes"] - 1}
            notice.save(update_fields=["mailboxes", "open", "facts"])
        if notice.open and notice.created_at > timezone.now() - GATHER:
            recent = notice
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
    """Tell everybody who wants to know of this kind. `facts`: ids, names and reasons; never mail, never a secret."""
    notice = Notification.objects.create(
        kind=kind,
        text=text,
        facts=dict(facts or {}),
        integration_id=integration_id,
        mailbox_id=mailbox_id,
        open=kind in RECOVERY,
        cause=cause,
        mailboxes=[mailbox_id] if cause else [],
    )
    now = timezone.now() + (GATHER if cause else timedelta(0))
    hooks = [hook for hook in Webhook.objects.filter(enabled=True) if not hook.events or kind in hook.events]
    deliveries = [Delivery(notice=notice, webhook=hook, next_at=now) for hook in hooks]
    if settings.NOTICES_MAIL_TO:
        deliveries.append(Delivery(notice=notice, webhook=None, next_at=now))
    Delivery.objects.bulk_create(deliveries)


@transaction.atomic
def keep_told(standing: Mapping[str, str]) -> None:
    """What of the whole installation stands still now, by its kind, in words: tell of what is new, and of what is over.
    Whoever calls it next finds what was told, so many may."""
    _one_at_a_time()
    told = Notification.objects.filter(kind=NotificationKind.STANDING_STILL, open=True)
    over = told.exclude(facts__standstill__in=list(standing))
    for notice in over:
        announce(NotificationKind.GOING_ON, f"It is over: {notice.text}", facts=notice.facts)
    over.update(open=False)
    known = set(told.values_list("facts__standstill", flat=True))
    for kind in standing.keys() - known:
        announce(NotificationKind.STANDING_STILL, standing[kind], facts={"standstill": kind})


def _one_at_a_time() -> None:
    """Until the end of the transaction. On SQLite every transaction is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def recovered(integration_id: int, mailbox_id: int, names: tuple[str, str], *, whole: bool) -> None:
    """A mailbox synced: what was told to stand still is over. `names`: of the integration and of the mailbox. `whole`: no
    folder of it was left out."""
    # A plain look first: after nearly every sync there is nothing to tell.
    open_ones = Notification.objects.filter(open=True, integration_id=integration_id)
    if not whole:
        open_ones = open_ones.exclude(kind=NotificationKind.FOLDER_LEFT_OUT)
    gathered = open_ones.exclude(cause="")
    for notice in gathered.select_for_update() if gathered.exists() else ():
        _is_well(notice, mailbox_id, names[1])
    for told, of in set(open_ones.filter(cause="").values_list("kind", "mailbox_id")):
        is_over = told == NotificationKind.INTEGRATION_DISABLED or of == mailbox_id
        if is_over and open_ones.filter(kind=told, mailbox_id=of).update(open=False):
            name = names[of is not None]
            announce(
                RECOVERY[NotificationKind(told)], f"{name} syncs again.", integration_id=integration_id, mailbox_id=of
            )


def forget_deleted() -> None:
    """Close what was told of mailboxes and integrations that were deleted since: they never sync again."""
    for pk in (
        Notification.objects.filter(open=True)
        .exclude(kind=NotificationKind.STANDING_STILL)
        .values_list("pk", flat=True)
    ):
        _forget_deleted_of(pk)


@transaction.atomic
def _forget_deleted_of(pk: uuid.UUID) -> None:
    notice = Notification.objects.select_for_update().filter(pk=pk, open=True).first()
    if notice is None:
        return
    mailbox_id = notice.mailbox_id
    if mailbox_id is None:
        if notice.integration_id is None or not Integration.objects.filter(pk=notice.integration_id).exists():
            Notification.objects.filter(pk=pk).update(open=False)
        return
    told_of: set[int] = set(notice.mailboxes) if notice.cause else {mailbox_id}
    left = set(Mailbox.objects.filter(pk__in=told_of).values_list("pk", flat=True))
    if left == told_of:
        return
    notice.mailboxes, notice.open = sorted(left) if notice.cause else [], bool(left)
    if notice.cause:
        notice.facts = {**notice.facts, "mailboxes": notice.facts["mailboxes"] - len(told_of - left)}
    notice.save(update_fields=["mailboxes", "open", "facts"])
    if notice.cause and not notice.open and notice.facts["mailboxes"]:
        _tell_all_well(notice, None, "The mailbox that was not deleted")


def _is_well(notice: Notification, mailbox_id: int, name: str) -> None:
    """One of several is well again; when all of them are, that is told once."""
    if mailbox_id not in notice.mailboxes:
        return
    notice.mailboxes = [other for other in notice.mailboxes if other != mailbox_id]
    notice.open = bool(notice.mailboxes)
    notice.save(update_fields=["mailboxes", "open"])
    if not notice.open:
        _tell_all_well(notice, mailbox_id, name)


def _tell_all_well(notice: Notification, mailbox_id: int | None, name: str) -> None:
    count = notice.facts["mailboxes"]
    told = f"{name} syncs again." if count == 1 else f"All {count:,} mailboxes sync again that had stopped."
    if notice.kind == NotificationKind.FOLDER_LEFT_OUT:
        told = f"No folder of {name if count == 1 else f'these {count:,} mailboxes'} is left out any more."
    announce(
        RECOVERY[NotificationKind(notice.kind)],
        told,
        integration_id=notice.integration_id,
        mailbox_id=mailbox_id,
        facts={"error": notice.cause, "mailboxes": count},
    )
