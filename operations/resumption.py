"""Let mailboxes sync again after an admin changed, started or repaired something.

The functions are parts of actions, so they write no audit entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from kombu.exceptions import OperationalError as BrokerError

from integrations.models import Integration
from mailboxes.models import Mailbox
from operations.results import ActionRefused
from sync.jobs import connection_breakers, scheduling, sign_in_budget
from sync.models import MailboxState, SyncedFolder
from sync.store.lease import database_now
from sync.tasks import sync_mailbox


def settings_changed(integration: Integration) -> None:
    """Close the circuit breakers of an integration, its destinations and buckets, and make all its mailboxes due.

    Call this function after an admin changed a setting that the integration depends on.

    Args:
        integration: The integration whose settings, destination or bucket changed.
    """
    mailboxes = list(integration.mailboxes.select_related("bucket__destination"))
    connection_breakers.close_breaker(integration)
    sign_in_budget.drop_unused_secrets(integration)
    for bucket in {mailbox.bucket for mailbox in mailboxes}:
        connection_breakers.close_breaker(bucket)
        connection_breakers.close_breaker(bucket.destination)
    make_due(mailboxes)


def make_due(mailboxes: Sequence[Mailbox]) -> None:
    """Make mailboxes due now, and clear their failures, so that the next task `dispatch` can queue them.

    Args:
        mailboxes: The mailboxes. Their next syncs also try again to read the folders that could not be read.
    """
    scheduling.make_states()
    pks = [mailbox.pk for mailbox in mailboxes]
    SyncedFolder.objects.filter(mailbox__in=pks).try_again()
    states = MailboxState.objects.filter(pk__in=pks)
    states.update(next_sync_at=None, failures=0, failing_since=None, refused_alone=False)


def queue_now(mailbox: Mailbox) -> str | ActionRefused:
    """Queue a sync of a mailbox at once. If a circuit breaker is open, the sync is its half-open trial.

    Args:
        mailbox: The mailbox with its integration.

    Returns:
        What happened, as a sentence, or the reason why the mailbox could not be queued.
    """
    if not mailbox.enabled or not mailbox.integration.enabled:
        return ActionRefused(f"{mailbox} or its integration is stopped. Start it first.")
    make_due([mailbox])
    try:
        queued = scheduling.queue(mailbox.pk, sync_mailbox.delay, database_now(), is_trial=True)
    except BrokerError:
        return ActionRefused(
            f"The queue cannot be reached. {mailbox} is synced as soon as the queue is available again."
        )
    return f"{mailbox} is queued." if queued else f"{mailbox} is already queued or syncing."


def counted(mailboxes: Sequence[Mailbox]) -> str:
    """Return the number of mailboxes as the beginning of a sentence, for example "3 mailboxes are"."""
    return "1 mailbox is" if len(mailboxes) == 1 else f"{len(mailboxes):,} mailboxes are"


def named(mailboxes: Sequence[Mailbox]) -> str:
    """Return the address of a single mailbox, or the number of mailboxes."""
    return str(mailboxes[0]) if len(mailboxes) == 1 else f"{len(mailboxes):,} mailboxes"
