"""Add, change, delete, start and stop integrations."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from access.history import Subject
from integrations.forms import IntegrationForm
from integrations.models import RUNNING, STOPPED, Integration
from operations.actor import Actor
from operations.documents.applying import apply
from operations.documents.plan import Plan
from operations.documents.plan_lines import change_lines
from operations.results import recorded
from operations.resumption import settings_changed


def add(actor: Actor, form: IntegrationForm) -> bool:
    """Store the new integration of a form.

    Args:
        actor: Who adds it.
        form: The form with the data of the admin.

    Returns:
        False if the form has errors.
    """
    if not form.stored():
        return False
    row = form.instance
    recorded(actor, f"{row} was added.", Subject.of(row), form.change_lines())
    return True


def change(actor: Actor, form: IntegrationForm) -> bool:
    """Store the changed integration of a form, and make its mailboxes due.

    Args:
        actor: Who changes it.
        form: The form with the data of the admin; its instance is reloaded from the database.

    Returns:
        False if the form has errors.
    """
    if not form.stored():
        return False
    row = form.instance
    recorded(actor, f"{row} was changed.", Subject.of(row), form.change_lines())
    row.refresh_from_db()
    settings_changed(row)
    return True


def apply_document(actor: Actor, plan: Plan, *, imported: bool = False, secrets_later: bool = False) -> Integration:
    """Create or change an integration from its document, and make its mailboxes due.

    Args:
        actor: Who sent the document.
        plan: What the document changes.
        imported: Whether an admin imported the document on the import page.
        secrets_later: Whether secrets may be missing. If a secret is missing, the integration is stopped.

    Returns:
        The integration.

    Raises:
        DocumentWrong: The document has errors.
        ChangedMeanwhile: The integration or one of its mailboxes was changed after the plan was made.
    """
    integration = write_document(actor, plan, imported=imported, secrets_later=secrets_later)
    settings_changed(integration)
    return integration


def write_document(actor: Actor, plan: Plan, *, imported: bool = False, secrets_later: bool = False) -> Integration:
    """Create or change an integration from its document. The caller must call `settings_changed` after the commit.

    Args:
        actor: Who sent the document.
        plan: What the document changes.
        imported: Whether an admin imported the document on the import page.
        secrets_later: Whether secrets may be missing. If a secret is missing, the integration is stopped.

    Returns:
        The integration.

    Raises:
        DocumentWrong: The document has errors.
        ChangedMeanwhile: The integration or one of its mailboxes was changed after the plan was made.
    """
    integration = apply(plan, secrets_later=secrets_later)
    verb = "imported" if imported else "changed" if plan.integration else "added"
    recorded(actor, f"{integration} was {verb}.", Subject.of(integration), change_lines(plan))
    return integration


def delete(actor: Actor, integration: Integration) -> bool:
    """Stop and delete an integration with its mailboxes.

    Args:
        actor: Who deletes it.
        integration: The integration.

    Returns:
        False if a sync of one of its mailboxes has not ended yet. The admin can try again after a moment.
    """
    about = Subject.of(integration)
    Integration.objects.filter(pk=integration.pk).update(**STOPPED)
    try:
        with transaction.atomic():
            integration.delete()
    except IntegrityError:
        return False
    recorded(actor, f"{integration} was deleted.", about)
    return True


def start(actor: Actor, integration: Integration) -> str:
    """Start an integration. Close its circuit breaker, and the circuit breakers of its buckets and destinations.

    Mailboxes that were stopped individually stay stopped.

    Args:
        actor: Who starts it.
        integration: The integration.

    Returns:
        What was done, as a sentence.
    """
    Integration.objects.filter(pk=integration.pk).update(**RUNNING)
    settings_changed(integration)
    return recorded(actor, f"{integration} is running.", Subject.of(integration))


def stop(actor: Actor, integration: Integration) -> str:
    """Stop an integration. A running sync ends between two batches and loses nothing.

    Args:
        actor: Who stops it.
        integration: The integration.

    Returns:
        What was done, as a sentence.
    """
    Integration.objects.filter(pk=integration.pk).update(**STOPPED)
    return recorded(actor, f"{integration} is stopped.", Subject.of(integration))
