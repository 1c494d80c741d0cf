"""One mailbox by itself, made or changed from the vendor's shape."""

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
from operations.documents.stored import mailbox_wish


def as_document(row: Mailbox) -> dict[str, Any]:
    """Of a mailbox with its bucket and destination at hand."""
    return write_mailbox(mailbox_wish(row), row.disabled_reason)


def create_mailbox(integration: Integration, document: Mapping[str, Any]) -> Mailbox:
    """Raises DocumentWrong, and ChangedMeanwhile when the integration has this address already."""
    wish = _read(document, ())
    try:
        with transaction.atomic():
            bucket = _bucket(wish, None)
            return Mailbox.objects.create(integration=integration, address=wish.address, bucket=bucket, **values(wish))
    except IntegrityError:
        raise ChangedMeanwhile("This integration has a mailbox with this address already.") from None


def changed_rules(row: Mailbox, document: Mapping[str, Any]) -> Rules:
    """What would be wanted of it; what the document does not name is as it is. Raises DocumentWrong."""
    return Mailbox(**values(_wish(row, document), with_state=False)).rules()


def change_mailbox(row: Mailbox, document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the document does not name stays. What was changed, before and after. Raises DocumentWrong and ChangedMeanwhile."""
    wish = _wish(row, document)
    changes = [(line.what, line.before, line.after) for line in mailbox_lines(row, wish)]
    if wish.address != row.address:
        changes.append(("Address", row.address, wish.address))
    if not changes:
        return []
    try:
        with transaction.atomic():
            Mailbox.objects.filter(pk=row.pk).update(
                address=wish.address,
                bucket=_bucket(wish, row),
                updated_at=timezone.now(),
                **values(wish, with_state=wish.enabled != row.enabled),
            )
    except IntegrityError:
        raise ChangedMeanwhile("This integration has a mailbox with this address already.") from None
    return changes


def _wish(row: Mailbox, document: Mapping[str, Any]) -> DesiredMailbox:
    whole = {**as_document(row), **document}
    whole.pop("disabled_reason", None)
    return _read(whole, (str(whole.get("email", "")).casefold(),))


def _read(document: Mapping[str, Any], there: tuple[str, ...]) -> DesiredMailbox:
    unknown: list[str] = []
    wish = read_mailbox(Keys(document, "", unknown))
    problems = [*unknown, *problems_of(wish)]
    if problems:
        raise DocumentWrong(*problems)
    check_destinations([wish], there, {row.name: row for row in Destination.objects.all()})
    return wish


def _bucket(wish: DesiredMailbox, row: Mailbox | None) -> Bucket:
    if wish.destination:
        destination = Destination.objects.get(name=wish.destination)
    else:
        destination = row.bucket.destination if row else Destination.objects.get()
    return Bucket.objects.get_or_create(destination=destination, project=wish.project, name=wish.bucket)[0]
