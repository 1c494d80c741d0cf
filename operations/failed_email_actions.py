"""Retry, dismiss and preview failed emails (dead letters)."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

from access.history import FAILED_EMAILS, Subject
from conversion.deadline.child_process import TooManyConversions
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.connect import open_source
from integrations.dead_letter_reasons import HIDDEN_STAGES
from integrations.errors import IntegrationError
from integrations.messages import Change, ChangeKind, FolderId, Gone, ItemId, Unreadable
from mailboxes.models import Mailbox
from operations.actor import Actor
from operations.results import ActionRefused, recorded
from operations.resumption import make_due, named, queue_now
from sync.engine.foreign_ids import is_foreign
from sync.jobs import sign_in_budget
from sync.jobs.conversions import converter
from sync.models import DeadLetter
from sync.store.lease import Clock, database_now

PREVIEW_DEADLINE = 20.0
"""Seconds that a request to Exchange may take while the admin waits."""


def retry(actor: Actor, email: DeadLetter) -> str | ActionRefused:
    """Retry one failed email, and queue its mailbox at once.

    Args:
        actor: Who requests it.
        email: The failed email with its folder and mailbox.

    Returns:
        What was done, as sentences. An `ActionRefused` states that the email was delivered or deleted in the meantime, or
        why the mailbox cannot be queued. In the second case, the next sync of the mailbox retries the email.
    """
    unsettled = DeadLetter.objects.filter(pk=email.pk, settled__in=["", "dismissed"])
    if not unsettled.update(settled="", settled_at=None, retry_at=database_now()):
        return ActionRefused("The email was delivered or deleted in the meantime, so it is not retried.")
    queued = queue_now(email.mailbox)
    result = queued.text if isinstance(queued, ActionRefused) else queued
    text = recorded(actor, f"The email in {_location(email)} is tried again. {result}", Subject.of(email.mailbox))
    return ActionRefused(text) if isinstance(queued, ActionRefused) else text


def retry_many(
    actor: Actor, emails: QuerySet[DeadLetter], clock: Clock = database_now, *, about: Subject = FAILED_EMAILS
) -> str | ActionRefused:
    """Retry failed emails. The next syncs of each mailbox retry its emails, a limited number in each sync.

    Emails that were delivered or deleted in the meantime stay settled.

    Args:
        actor: Who requests it.
        emails: The failed emails.
        clock: Returns the time now, in UTC.
        about: The subject of the audit entry: the mailbox, if all emails belong to one mailbox.

    Returns:
        What was done, as a sentence, or that there is no such email.
    """
    unsettled = emails.filter(settled__in=["", "dismissed"])
    # Emails in a stage that the pages do not show are retried, but not counted.
    count = unsettled.exclude(stage__in=HIDDEN_STAGES).count()
    mailboxes = list(Mailbox.objects.filter(pk__in=unsettled.values("mailbox").distinct()))
    DeadLetter.objects.filter(pk__in=unsettled.values("pk")).update(settled="", settled_at=None, retry_at=clock())
    make_due(mailboxes)
    if not count:
        return ActionRefused("There is no failed email to retry.")
    emails_are = "1 email is" if count == 1 else f"{count:,} emails are"
    return recorded(actor, f"{emails_are} tried again by the next sync of {named(mailboxes)}.", about)


def dismiss(actor: Actor, email: DeadLetter) -> str:
    """Stop retrying a failed email, and no longer list it on the pages. The email is not delivered.

    Args:
        actor: Who dismisses it.
        email: The failed email with its folder and mailbox.

    Returns:
        What was done, as a sentence.
    """
    DeadLetter.objects.filter(pk=email.pk, settled="").update(
        settled="dismissed", settled_at=database_now(), retry_at=None
    )
    text = f"The email in {_location(email)} is dismissed: it stays in Exchange and does not reach Re:infer."
    return recorded(actor, text, Subject.of(email.mailbox))


def preview(email: DeadLetter) -> Converted | NotConvertible | ActionRefused:
    """Fetch a failed email from Exchange, and convert it. Nothing is sent or stored.

    A request to Exchange takes at most `PREVIEW_DEADLINE` seconds.

    Args:
        email: The failed email with its folder, mailbox and integration.

    Returns:
        The comment, or the reason why the email cannot be converted or fetched.
    """
    if is_foreign(email.item_id):
        return ActionRefused("The connection of the integration was changed. The next sync finds this email again.")
    change = Change(
        ChangeKind.CREATED,
        FolderId(email.folder.folder_id),
        ItemId(email.item_id),
        change_key=email.change_key,
        item_class=email.item_class,
        size=email.size,
    )
    integration = email.mailbox.integration
    try:
        with (
            sign_in_budget.counting(integration),
            open_source(integration, email.mailbox.address, deadline=PREVIEW_DEADLINE) as source,
        ):
            fetched = next(iter(source.fetch([change])))
    except (IntegrationError, ImproperlyConfigured) as error:
        return ActionRefused(str(error))
    if isinstance(fetched, Gone):
        return ActionRefused("The email is no longer in this folder: it was moved or deleted.")
    if isinstance(fetched, Unreadable):
        return ActionRefused(f"Exchange cannot return this email: {fetched.reason}.")
    try:
        with converter(wait=False) as convert:
            return convert(fetched, EmailLocation(email.mailbox.address, tuple(email.folder.path)))
    except TooManyConversions as busy:
        return ActionRefused(str(busy))


def _location(email: DeadLetter) -> str:
    """Return the folder, the mailbox and, if known, the time of arrival, for the audit log and the admin."""
    arrived = f" that arrived {email.received:%Y-%m-%d %H:%M} UTC" if email.received else ""
    return f"{'/'.join(email.folder.path)} of {email.mailbox}{arrived}"
