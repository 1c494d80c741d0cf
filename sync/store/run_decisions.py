"""Queries and updates that a sync run makes once, most of them when it starts.

If several workers call `take_trial_mark` for one mailbox, or `record_first_contact` for one bucket, at the same time,
at most one call returns True.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists

from mailboxes.models import Bucket, Mailbox
from sync.models import FROM_THE_BEGINNING, Account, LedgerEntry, MailboxItem, MailboxState, SyncedFolder
from sync.store.lease import Lease


def enabled_mailbox(mailbox_id: int) -> Mailbox | None:
    """Return a mailbox that is enabled and whose integration is enabled.

    Args:
        mailbox_id: Primary key of the mailbox.

    Returns:
        The mailbox with its integration, bucket and destination loaded, or None. Its attribute `any_refused` is true
        when a refused sign-in is counted for any account of the installation.
    """
    return (
        Mailbox.objects.select_related("integration", "bucket__destination")
        .annotate(any_refused=Exists(Account.objects.all()))
        .filter(pk=mailbox_id, enabled=True, integration__enabled=True)
        .first()
    )


def unqueue(mailbox_id: int) -> None:
    """Remove the mark that a task of this mailbox is queued.

    Args:
        mailbox_id: Primary key of the mailbox.
    """
    MailboxState.objects.filter(pk=mailbox_id).update(queued_until=None)


def return_unstarted(mailbox_id: int) -> bool:
    """Remove the marks of a queued task that this process cannot start. The mailbox stays due.

    Args:
        mailbox_id: Primary key of the mailbox.

    Returns:
        Whether the task was a half-open trial of a circuit breaker.
    """
    queued = MailboxState.objects.filter(pk=mailbox_id)
    was_trial = queued.filter(probe=True).exists()
    queued.update(queued_until=None, probe=False)
    return was_trial


def take_trial_mark(mailbox_id: int) -> bool:
    """Remove the mark of a half-open trial from a mailbox whose run starts.

    Args:
        mailbox_id: Primary key of the mailbox.

    Returns:
        Whether the mailbox had the mark.
    """
    return MailboxState.objects.filter(pk=mailbox_id, probe=True).update(probe=False) > 0


def last_synced_at(mailbox_id: int) -> datetime | None:
    """Return when a sync of this mailbox last finished: every folder that can be read was read to its end.

    Args:
        mailbox_id: Primary key of the mailbox.

    Returns:
        A time in UTC; None if no sync has finished.
    """
    return MailboxState.objects.filter(pk=mailbox_id).values_list("synced_at", flat=True).first()


def record_refusals(bucket: Bucket, window: str) -> None:
    """Store the recent results that the circuit breaker of a bucket counts.

    Args:
        bucket: The bucket that comments were pushed to.
        window: The results as `sync.engine.circuit_breaker` encodes them.
    """
    Bucket.objects.filter(pk=bucket.pk).update(refusals=window)


def record_first_contact(bucket: Bucket, *, trusted: bool, at: datetime) -> bool:
    """Record whether a bucket was empty at first contact, before the first push, and set the same values on `bucket`.

    If two runs examine the bucket at the same time, only the result that is recorded first counts, because the second run
    may already see comments that the first run pushed. The second run loads the recorded values into `bucket`.

    Args:
        bucket: The bucket that was examined.
        trusted: Whether the bucket was empty.
        at: When it was examined, in UTC.

    Returns:
        Whether this call recorded the first contact.
    """
    bucket.trusted, bucket.examined_at = trusted, at
    is_first = Bucket.objects.filter(pk=bucket.pk, examined_at=None).update(trusted=trusted, examined_at=at) > 0
    if not is_first:
        bucket.refresh_from_db(fields=["trusted", "examined_at"])
    return is_first


def drop_ledger_if_requested(mailbox: Mailbox, lease: Lease) -> None:
    """Carry out *Push missing again*: drop the items of this mailbox, and the confirmed entries whose winner is in it.

    The bucket becomes untrusted, so each comment without an entry is requested from Re:infer before it is pushed. Only
    comments that the bucket does not have are created. All folders of the mailbox are listed again.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.
    """
    requested = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token, send_again=True)
    if not requested.exists():
        return
    with transaction.atomic():
        Bucket.objects.filter(pk=mailbox.bucket_id).update(trusted=False, examined_at=lease.clock())
        confirmed = LedgerEntry.objects.filter(bucket=mailbox.bucket_id, state=LedgerEntry.State.CONFIRMED)
        confirmed.filter(winner_mailbox=mailbox).delete()
        MailboxItem.objects.filter(mailbox=mailbox).delete()
        requested.update(send_again=False, list_again=True)
    mailbox.bucket.refresh_from_db(fields=["trusted", "examined_at"])


def drop_cursors_if_requested(mailbox: Mailbox, lease: Lease) -> None:
    """Carry out *Full resync*: drop every cursor of this mailbox.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.
    """
    requested = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token, list_again=True)
    if requested.exists():
        SyncedFolder.objects.filter(mailbox=mailbox).update(**FROM_THE_BEGINNING)
        requested.update(list_again=False, folders_cursor="", up_to_date=False)
