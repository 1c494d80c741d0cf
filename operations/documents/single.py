"""Create or change one mailbox from its document in the format of Re:infer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from mailboxes.rules import Rules
from operations.documents.applying import ChangedMeanwhile, values
from operations.documents.desired import DesiredMailbox, DocumentWrong
from operations.documents.keys import Keys
from operations.documents.plan import check_destinations, mailbox_lines
from operations.documents.reading import problems_of
from operations.documents.reinfer_format import read_mailbox, write_mailbox
from operations.documents.stored import desired_mailbox


def as_document(row: Mailbox) -> dict[str, Any]:
    """Return a mailbox in the format of Re:infer.

    Args:
        row: The mailbox with its bucket and destination.

    Returns:
        The document.
    """
    return write_mailbox(desired_mailbox(row), row.disabled_reason)


def create_mailbox(integration: Integration, document: Mapping[str, Any]) -> Mailbox:
    """Create a mailbox from its document.

    Args:
        integration: The integration that the mailbox belongs to.
        document: The mailbox in the format of Re:infer.

    Returns:
        The mailbox.

    Raises:
        DocumentWrong: The document has errors.
        ChangedMeanwhile: The integration already has a mailbox with this address.
    """
    desired = _read(document, ())
    try:
        with transaction.atomic():
            bucket = _bucket(desired, None)
            return Mailbox.objects.create(
                integration=integration, address=desired.address, bucket=bucket, **values(desired)
            )
    except IntegrityError:
        raise ChangedMeanwhile("This integration already has a mailbox with this address.") from None


def changed_rules(row: Mailbox, document: Mapping[str, Any]) -> Rules:
    """Return the filters that a document would give a mailbox. A filter without a key in the document does not change.

    Args:
        row: The mailbox with its bucket and destination.
        document: A part of the mailbox in the format of Re:infer.

    Returns:
        The filters.

    Raises:
        DocumentWrong: The document has errors.
    """
    return Mailbox(**values(_desired(row, document), with_state=False)).rules()


def change_mailbox(row: Mailbox, document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Change a mailbox as a document describes. A setting without a key in the document does not change.

    Args:
        row: The mailbox with its bucket and destination. The instance itself is not updated.
        document: A part of the mailbox in the format of Re:infer.

    Returns:
        The changes: field, value before, value after. Empty if nothing was written.

    Raises:
        DocumentWrong: The document has errors.
        ChangedMeanwhile: The integration has another mailbox with this address.
    """
    desired = _desired(row, document)
    changes = [(line.what, line.before, line.after) for line in mailbox_lines(row, desired)]
    if desired.address != row.address:
        changes.append(("Address", row.address, desired.address))
    if not changes:
        return []
    try:
        with transaction.atomic():
            Mailbox.objects.filter(pk=row.pk).update(
                address=desired.address,
                bucket=_bucket(desired, row),
                updated_at=timezone.now(),
                **values(desired, with_state=desired.enabled != row.enabled),
            )
    except IntegrityError:
        raise ChangedMeanwhile("This integration already has a mailbox with this address.") from None
    return changes


def _desired(row: Mailbox, document: Mapping[str, Any]) -> DesiredMailbox:
    whole = {**as_document(row), **document}
    whole.pop("disabled_reason", None)
    return _read(whole, (str(whole.get("email", "")).casefold(),))


def _read(document: Mapping[str, Any], stored: tuple[str, ...]) -> DesiredMailbox:
    unknown: list[str] = []
    desired = read_mailbox(Keys(document, "", unknown))
    problems = [*unknown, *problems_of(desired)]
    if problems:
        raise DocumentWrong(*problems)
    check_destinations([desired], stored, {row.name: row for row in Destination.objects.all()})
    return desired


def _bucket(desired: DesiredMailbox, row: Mailbox | None) -> Bucket:
    if desired.destination:
        destination = Destination.objects.get(name=desired.destination)
    else:
        destination = row.bucket.destination if row else Destination.objects.get()
    return Bucket.objects.get_or_create(destination=destination, project=desired.project, name=desired.bucket)[0]
