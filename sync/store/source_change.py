"""A mailbox that is read by another source than before: nothing that only the source before understands may reach the next.

What is remembered says itself of which source it is (`MailboxState.ids_of`), and every run compares that with the source
that it opens, under the lease. So it does not matter when somebody switches, or whether a sync is running then: it ends
with the ids it began with, and the next one leaves them behind before it reads a single cursor.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Min, Value
from django.db.models.functions import Concat

from mailboxes.models import Mailbox
from sync.engine.foreign_ids import FORMER, mark_of
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
"""From listing a page to moving its checkpoint, and between two clocks."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is sure: every email is looked at."""


def leave_former_source(mailbox: Mailbox, lease: Lease) -> None:
    """Before a run reads anything: where the memory is of another source than the one in hand, drop its cursors and mark its
    ids as former ones. The ledger stays: no comment is created twice. Takes about six seconds for 100,000 emails."""
    api = mailbox.integration.microsoft_api
    other = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token).exclude(ids_of=api)
    if not other.exists():
        return
    with transaction.atomic():
        lease.demand()
        mark = mark_of(lease.token)
        until = _earlier(_read_until(mailbox), other.get().former_until)
        _mark(mailbox, mark)
        Verification.objects.filter(mailbox=mailbox, ended_at=None).delete()
        other.update(ids_of=api, former_until=until, folders_cursor="", list_again=False, up_to_date=False)
    log.info("sync.source_changed", api=api)


def _read_until(mailbox: Mailbox) -> datetime | None:
    """Whatever was touched before this time, the source before has told. None where nothing is remembered of it."""
    folders = SyncedFolder.objects.filter(mailbox=mailbox, gone=False, holds_mail=True)
    earliest: datetime | None = folders.aggregate(earliest=Min("synced_at"))["earliest"]
    if earliest is None or folders.filter(synced_at=None, copies__isnull=False).exists():
        return LONG_AGO if folders.exists() else None
    return earliest - MARGIN


def _earlier(now: datetime | None, before: datetime | None) -> datetime | None:
    """`before`: of a change of source that was not yet done when this one came."""
    return min(filter(None, (now, before)), default=None)


def _mark(mailbox: Mailbox, mark: str) -> None:
    for rows, name in (
        (MailboxItem.objects.filter(mailbox=mailbox), "item_id"),
        (DeadLetter.objects.filter(mailbox=mailbox), "item_id"),
        (LedgerEntry.objects.filter(winner_mailbox=mailbox), "winner_item"),
        (SyncedFolder.objects.filter(mailbox=mailbox), "folder_id"),
        (SyncedFolder.objects.filter(mailbox=mailbox), "parent_id"),
    ):
        present = rows.exclude(**{f"{name}__startswith": FORMER}).exclude(**{name: ""})
        present.update(**{name: Concat(Value(mark), F(name))})
    SyncedFolder.objects.filter(mailbox=mailbox).update(**FROM_THE_BEGINNING | READABLE)
