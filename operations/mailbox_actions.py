"""Add, change, delete, start, stop, sync and verify mailboxes; request full resyncs and *push missing again*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.history import MANY_MAILBOXES, Subject, named
from integrations.errors import TooManyRefused
from integrations.models import RUNNING, STOPPED, Destination, Integration
from mailboxes.forms import MailboxForm, ManyMailboxesForm
from mailboxes.models import Bucket, Mailbox
from operations.actor import Actor
from operations.documents.single import change_mailbox, create_mailbox
from operations.results import ActionRefused, recorded
from operations.resumption import counted, make_due, queue_now, settings_changed
from sync.jobs import connection_breakers, scheduling, verification
from sync.jobs.disabled_mailboxes import stopped_at
from sync.models import FROM_THE_BEGINNING, LedgerEntry, MailboxState, SyncedFolder


def add(actor: Actor, form: MailboxForm) -> bool:
    """Store the new mailbox of a form.

    Args:
        actor: Who adds it.
        form: The form with the data of the admin.

    Returns:
        False if the form has errors.
    """
    return _store(actor, form, "added")


def change(actor: Actor, form: MailboxForm) -> bool:
    """Store the changed mailbox of a form.

    Args:
        actor: Who changes it.
        form: The form with the data of the admin.

    Returns:
        False if the form has errors.
    """
    return _store(actor, form, "changed")


def _store(actor: Actor, form: MailboxForm, verb: str) -> bool:
    if not form.stored():
        return False
    row: Mailbox = form.instance
    recorded(actor, f"{row} was {verb}.", Subject.of(row), form.change_lines())
    settings_changed(row.integration)
    return True


def add_many(actor: Actor, form: ManyMailboxesForm) -> bool:
    """Store the mailboxes of a list of addresses.

    Args:
        actor: Who adds them.
        form: The form with the list.

    Returns:
        False if the form has errors.
    """
    if not form.stored():
        return False
    integration: Integration = form.instance.integration
    about = Subject("mailbox", integration_id=integration.pk)
    recorded(actor, f"{len(form.made)} mailboxes were added.", about, named(form.made))
    settings_changed(integration)
    return True


def add_by_document(actor: Actor, integration: Integration, document: Mapping[str, Any]) -> Mailbox:
    """Create a mailbox from its document.

    Args:
        actor: Who adds it.
        integration: The integration that the mailbox belongs to.
        document: The mailbox in the format of Re:infer.

    Returns:
        The mailbox.

    Raises:
        DocumentWrong: The document has errors.
        ChangedMeanwhile: The integration has a mailbox with this address.
    """
    row = create_mailbox(integration, document)
    recorded(actor, f"{row} was added.", Subject.of(row))
    settings_changed(integration)
    return row


def change_by_document(actor: Actor, mailbox: Mailbox, document: Mapping[str, Any]) -> None:
    """Change those settings of a mailbox that are in a document. The other settings stay unchanged.

    Args:
        actor: Who changes it.
        mailbox: The mailbox with its integration and bucket.
        document: A part of the mailbox in the format of Re:infer.

    Raises:
        DocumentWrong: The document has errors.
        ChangedMeanwhile: The integration has another mailbox with this address.
    """
    if changes := change_mailbox(mailbox, document):
        recorded(actor, f"{mailbox} was changed.", Subject.of(mailbox), changes)
        settings_changed(mailbox.integration)


def delete(actor: Actor, mailbox: Mailbox) -> bool:
    """Stop and delete a mailbox.

    Args:
        actor: Who deletes it.
        mailbox: The mailbox.

    Returns:
        False if a sync of the mailbox has not ended yet. The admin can try again after a moment.
    """
    about = Subject.of(mailbox)
    Mailbox.objects.filter(pk=mailbox.pk).update(**STOPPED)
    try:
        with transaction.atomic():
            mailbox.delete()
    except IntegrityError:
        return False
    # A deleted row has no time of change, so the deletion is stored as a change of the integration.
    Integration.objects.filter(pk=mailbox.integration_id).update(updated_at=timezone.now())
    recorded(actor, f"{mailbox} was deleted.", about)
    return True


def start(actor: Actor, mailbox: Mailbox) -> str:
    """Start a mailbox.

    Args:
        actor: Who starts it.
        mailbox: The mailbox with its integration.

    Returns:
        What was done, as a sentence.
    """
    Mailbox.objects.filter(pk=mailbox.pk).update(**RUNNING)
    make_due([mailbox])
    if mailbox.integration.enabled:
        text = f"{mailbox} is running."
    else:
        text = f"{mailbox} will sync as soon as its integration is started."
    return recorded(actor, text, Subject.of(mailbox))


def stop(actor: Actor, mailbox: Mailbox) -> str:
    """Stop a mailbox.

    Args:
        actor: Who stops it.
        mailbox: The mailbox.

    Returns:
        What was done, as a sentence.
    """
    Mailbox.objects.filter(pk=mailbox.pk).update(**STOPPED)
    return recorded(actor, f"{mailbox} is stopped.", Subject.of(mailbox))


def sync_now(actor: Actor, mailbox: Mailbox) -> str | ActionRefused:
    """Queue a sync of a mailbox at once. If a circuit breaker is open, the sync is its half-open trial.

    Args:
        actor: Who requests the sync.
        mailbox: The mailbox with its integration.

    Returns:
        What was done, as a sentence, or the reason why the mailbox cannot be queued.
    """
    queued = queue_now(mailbox)
    return queued if isinstance(queued, ActionRefused) else recorded(actor, queued, Subject.of(mailbox))


def start_many(actor: Actor, mailboxes: Sequence[Mailbox], about: Subject = MANY_MAILBOXES) -> str:
    """Start mailboxes.

    Args:
        actor: Who starts them.
        mailboxes: The mailboxes.
        about: The subject of the audit entry: the integration, if all mailboxes belong to one integration.

    Returns:
        What was done, as a sentence.
    """
    Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).update(**RUNNING)
    make_due(mailboxes)
    return recorded(actor, f"{counted(mailboxes)} started.", about, named(mailboxes))


def stop_many(actor: Actor, mailboxes: Sequence[Mailbox], about: Subject = MANY_MAILBOXES) -> str:
    """Stop mailboxes.

    Args:
        actor: Who stops them.
        mailboxes: The mailboxes.
        about: The subject of the audit entry: the integration, if all mailboxes belong to one integration.

    Returns:
        What was done, as a sentence.
    """
    Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).update(**STOPPED)
    return recorded(actor, f"{counted(mailboxes)} stopped.", about, named(mailboxes))


def sync_many_now(actor: Actor, mailboxes: Sequence[Mailbox], about: Subject = MANY_MAILBOXES) -> str | ActionRefused:
    """Make the given mailboxes due, except stopped ones. The task `dispatch` queues them as workers become free.

    Args:
        actor: Who requests the syncs.
        mailboxes: The mailboxes with their integrations.
        about: The subject of the audit entry: the integration, if all mailboxes belong to one integration.

    Returns:
        What was done, as a sentence, or the reason why nothing was done.
    """
    running = [mailbox for mailbox in mailboxes if mailbox.enabled and mailbox.integration.enabled]
    if not running:
        return ActionRefused("These mailboxes or their integrations are stopped. Start them first.")
    make_due(running)
    return recorded(actor, f"{counted(running)} due now.", about, named(running))


def list_many_again(actor: Actor, mailboxes: Sequence[Mailbox], about: Subject = MANY_MAILBOXES) -> str:
    """Request a full resync of each mailbox. See `list_again`.

    Args:
        actor: Who requests it.
        mailboxes: The mailboxes.
        about: The subject of the audit entry: the integration, if all mailboxes belong to one integration.

    Returns:
        What was done, as a sentence.
    """
    _request_at_next_sync(mailboxes, list_again=True)
    text = f"{counted(mailboxes)} listed again at the next sync. Nothing is sent twice."
    return recorded(actor, text, about, named(mailboxes))


MANY: dict[str, Callable[[Actor, Sequence[Mailbox], Subject], str | ActionRefused]] = {
    "start": start_many,
    "stop": stop_many,
    "sync-now": sync_many_now,
    "list-again": list_many_again,
}
"""The actions on many mailboxes, by the value of their button."""


def list_again(actor: Actor, mailbox: Mailbox) -> str:
    """Request a full resync of a mailbox: the next sync lists all folders from the beginning.

    No comment is sent twice and nothing is billed, because the mailbox items and the ledger are not deleted.

    Args:
        actor: Who requests it.
        mailbox: The mailbox.

    Returns:
        What was done, as a sentence.
    """
    _request_at_next_sync([mailbox], list_again=True)
    text = f"{mailbox} is listed again at its next sync. Nothing is sent twice."
    return recorded(actor, text, Subject.of(mailbox))


def list_folder_again(actor: Actor, folder: SyncedFolder) -> str:
    """Drop the cursor of one folder, so that the next sync lists the folder from the beginning. Nothing is billed.

    Args:
        actor: Who requests it.
        folder: The folder with its mailbox.

    Returns:
        What was done, as a sentence.
    """
    SyncedFolder.objects.filter(pk=folder.pk).update(**FROM_THE_BEGINNING)
    make_due([folder.mailbox])
    MailboxState.objects.filter(pk=folder.mailbox_id).update(up_to_date=False)
    text = f"{folder} of {folder.mailbox} is listed again at its next sync. Nothing is sent twice."
    return recorded(actor, text, Subject.of(folder.mailbox))


def send_again(actor: Actor, mailbox: Mailbox) -> str:
    """Request *push missing again* for a mailbox: the next sync drops the items and ledger entries of the mailbox.

    All mail of the mailbox is then compared with the bucket, and each comment that Re:infer no longer has is created again.
    Each created comment costs an AI unit.

    Args:
        actor: Who requests it.
        mailbox: The mailbox.

    Returns:
        What was done, as a sentence.
    """
    _request_at_next_sync([mailbox], send_again=True)
    text = f"The next sync of {mailbox} sends only the emails again whose comments Re:infer no longer has."
    return recorded(actor, text, Subject.of(mailbox))


def _request_at_next_sync(mailboxes: Sequence[Mailbox], **flags: bool) -> None:
    """Set flags in the state of mailboxes, and make the mailboxes due. Failure counters are not reset."""
    scheduling.make_states()
    of = [mailbox.pk for mailbox in mailboxes]
    MailboxState.objects.filter(pk__in=of).update(**flags, next_sync_at=None)


def most_ai_units_to_send_again(mailbox: Mailbox) -> int:
    """Return the number of AI units that `send_again` costs if Re:infer has none of the comments of the mailbox."""
    entries = LedgerEntry.objects.filter(bucket=mailbox.bucket_id, winner_mailbox=mailbox)
    return entries.filter(state=LedgerEntry.State.CONFIRMED).count()


def verify(actor: Actor, mailbox: Mailbox, *, repair: bool = False) -> str:
    """Start a verification, which compares Exchange, the ledger and Re:infer. Meanwhile, syncs continue.

    Args:
        actor: Who requests it.
        mailbox: The mailbox.
        repair: Whether the next sync creates missing comments, each for an AI unit, and updates outdated comments.

    Returns:
        What was done, as a sentence.
    """
    verification.begin(mailbox, repair=repair)
    text = f"{mailbox} is being {'verified and repaired' if repair else 'verified'}."
    return recorded(actor, text, Subject.of(mailbox))


def stop_verification(actor: Actor, mailbox: Mailbox) -> str | ActionRefused:
    """Stop the verification of a mailbox.

    Args:
        actor: Who stops it.
        mailbox: The mailbox.

    Returns:
        What was done, as a sentence, or that no verification runs.
    """
    if not verification.stop(mailbox):
        return ActionRefused(f"No verification of {mailbox} is running.")
    return recorded(actor, f"The verification of {mailbox} is stopped.", Subject.of(mailbox))


def start_stopped(actor: Actor, row: Destination | Bucket) -> str | ActionRefused:
    """Start the mailboxes of a destination or bucket that an error or the quota of Re:infer stopped.

    Mailboxes that a user or a monthly limit stopped stay stopped. If `row` is a destination, the circuit breakers of the
    destination and of its buckets close. If `row` is a bucket, the circuit breakers of the bucket and of its destination
    close. A circuit breaker that opened because too many emails were refused or could not be converted stays open.

    Args:
        actor: Who starts them.
        row: The destination, or the bucket with its destination.

    Returns:
        What was done, as a sentence, or that there is no such mailbox.
    """
    stopped = stopped_at(row)
    mailboxes = list(stopped.select_related("integration"))
    if not mailboxes:
        return ActionRefused(f"No mailbox of {row} is stopped by an error or a quota.")
    stopped.update(**RUNNING)
    buckets = row.buckets.all() if isinstance(row, Destination) else [row]
    # If too many emails were refused or could not be converted, the circuit breaker stays open: an admin has to resume the
    # bucket, or Re:infer has to accept a comment in a half-open trial.
    for bucket in (one for one in buckets if one.held_kind != TooManyRefused.kind):
        connection_breakers.close_breaker(bucket)
    connection_breakers.close_breaker(row if isinstance(row, Destination) else row.destination)
    make_due(mailboxes)
    not_running = sum(not mailbox.integration.enabled for mailbox in mailboxes)
    later = f" {not_running:,} of them will sync as soon as their integration is started." if not_running else ""
    return recorded(actor, f"{counted(mailboxes)} started.{later}", Subject.of(row))
