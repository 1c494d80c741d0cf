"""Prepare a mailbox for another source: ids and cursors of the previous source must not be used with the new one.

`MailboxState.ids_of` names the API to which the stored ids belong. Each run compares this API with the API of its
integration. So an integration can be switched at any time, even while a sync is running: that sync continues with the ids with
which it began, and the next sync marks these ids as foreign before it reads any cursor.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Min, Value
from django.db.models.functions import Concat

from mailboxes.models import Mailbox
from sync.engine.foreign_ids import FOREIGN_PREFIX, foreign_prefix
from sync.models import (
    FROM_THE_BEGINNING,
    READABLE,
    DeadLetter,
    LedgerEntry,
    MailboxItem,
    MailboxState,
    SyncedFolder,
    Verification,
)
from sync.store.lease import Lease

log = structlog.get_logger(__name__)
MARGIN = timedelta(minutes=15)
"""Allows for the time between listing a page and moving its checkpoint, and for the difference between the clocks of
Exchange and the database."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Used if it is unknown until when changes were read. An email then counts as unchanged only if its change key is the
same."""


def leave_foreign_source(mailbox: Mailbox, lease: Lease) -> None:
    """Drop cursors and mark ids as foreign, if the stored state belongs to another source than the present one.

    Called before a run reads anything. The ledger stays, so no comment is created twice. Takes about six seconds for
    100,000 emails.

    Args:
        mailbox: The mailbox.
        lease: The lease of the run.

    Raises:
        LeaseLost: Another worker holds the lease.
    """
    api = mailbox.integration.microsoft_api
    other = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token).exclude(ids_of=api)
    if not other.exists():
        return
    with transaction.atomic():
        lease.demand()
        prefix = foreign_prefix(lease.token)
        until = _earlier(_read_until(mailbox), other.get().former_until)
        _mark_foreign(mailbox, prefix)
        Verification.objects.filter(mailbox=mailbox, ended_at=None).delete()
        other.update(ids_of=api, former_until=until, folders_cursor="", list_again=False, up_to_date=False)
    log.info("sync.source_changed", api=api)


def _read_until(mailbox: Mailbox) -> datetime | None:
    """Return the time until which the previous source certainly reported every change.

    None if no folder with mail is stored; `LONG_AGO` if the time is unknown.
    """
    folders = SyncedFolder.objects.filter(mailbox=mailbox, gone=False, holds_mail=True)
    earliest: datetime | None = folders.aggregate(earliest=Min("synced_at"))["earliest"]
    if earliest is None or folders.filter(synced_at=None, copies__isnull=False).exists():
        return LONG_AGO if folders.exists() else None
    return earliest - MARGIN


def _earlier(now: datetime | None, before: datetime | None) -> datetime | None:
    """Return the earlier of two times.

    `before` belongs to an earlier change of the source, if that change was not completed before the present change.
    """
    return min(filter(None, (now, before)), default=None)


def _mark_foreign(mailbox: Mailbox, prefix: str) -> None:
    for rows, name in (
        (MailboxItem.objects.filter(mailbox=mailbox), "item_id"),
        (DeadLetter.objects.filter(mailbox=mailbox), "item_id"),
        (LedgerEntry.objects.filter(winner_mailbox=mailbox), "winner_item"),
        (SyncedFolder.objects.filter(mailbox=mailbox), "folder_id"),
        (SyncedFolder.objects.filter(mailbox=mailbox), "parent_id"),
    ):
        present = rows.exclude(**{f"{name}__startswith": FOREIGN_PREFIX}).exclude(**{name: ""})
        present.update(**{name: Concat(Value(prefix), F(name))})
    SyncedFolder.objects.filter(mailbox=mailbox).update(**FROM_THE_BEGINNING | READABLE)
