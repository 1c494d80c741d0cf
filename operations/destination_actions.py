"""Add, change and delete destinations: Re:infer tenants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from access.history import Subject
from integrations import wording
from integrations.bound import label_of
from integrations.forms import DestinationForm
from integrations.models import Destination, Integration
from operations.actor import Actor
from operations.results import recorded
from operations.resumption import settings_changed


def add(actor: Actor, form: DestinationForm) -> bool:
    """Store the new destination of a form.

    Args:
        actor: Who adds it.
        form: The form with the data of the admin.

    Returns:
        False if the form has errors.
    """
    if not form.stored():
        return False
    recorded(actor, f"{form.instance} was added.", Subject.of(form.instance), form.change_lines())
    return True


def change(actor: Actor, form: DestinationForm) -> bool:
    """Store the changed destination of a form, and make the mailboxes that send to it due.

    Args:
        actor: Who changes it.
        form: The form with the data of the admin.

    Returns:
        False if the form has errors.
    """
    if not form.stored():
        return False
    recorded(actor, f"{form.instance} was changed.", Subject.of(form.instance), form.change_lines())
    _settings_changed(form.instance)
    return True


def add_by_values(actor: Actor, values: Mapping[str, Any]) -> Destination:
    """Store a new destination.

    Args:
        actor: Who adds it.
        values: Valid values by the name of the model's field.

    Returns:
        The destination.
    """
    row = Destination.objects.create(**values)
    recorded(actor, f"{row} was added.", Subject.of(row))
    return row


def change_by_values(actor: Actor, read: Callable[[], tuple[Destination, Mapping[str, Any]]]) -> Destination:
    """Change some values of a destination, and make the mailboxes that send to it due.

    Args:
        actor: Who changes it.
        read: A function that is called inside the transaction. It locks the row, and returns it with valid values by
            the name of the model's field. If it raises an exception, the transaction is rolled back.

    Returns:
        The destination. If there are no values, nothing is changed or recorded.
    """
    with transaction.atomic():
        row, values = read()
        if not values:
            return row
        changes = _changes(row, values)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=[*values, "updated_at"])
        recorded(actor, f"{row} was changed.", Subject.of(row), changes)
    _settings_changed(row)
    return row


def delete(actor: Actor, destination: Destination) -> bool:
    """Delete a destination with its buckets. The comments of the buckets stay in Re:infer.

    Args:
        actor: Who deletes it.
        destination: The destination.

    Returns:
        False if mailboxes still send to the destination.
    """
    about = Subject.of(destination)
    try:
        with transaction.atomic():
            destination.buckets.all().delete()
            destination.delete()
    except ProtectedError:
        return False
    recorded(actor, f"{destination} was deleted.", about)
    return True


def _settings_changed(destination: Destination) -> None:
    for integration in Integration.objects.filter(mailboxes__bucket__destination=destination.pk).distinct():
        settings_changed(integration)


def _changes(row: Destination, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return field, value before and value after, as texts. The value of the token is left out."""
    changes = []
    for name, value in values.items():
        label = label_of(Destination, name)
        if name == "token":
            changes.append((label, "a secret", "another secret"))
        elif getattr(row, name) != value:
            changes.append((label, wording.display_text(getattr(row, name)), wording.display_text(value)))
    return changes
