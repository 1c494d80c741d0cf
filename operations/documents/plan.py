"""What applying a document would change, before anything is. Reads the database, writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from integrations.bound import label_of
from integrations.certificates import CertificateWrong, facts
from integrations.encryption import Secret
from integrations.errors import SecretUnreadable
from integrations.models import Destination, Integration
from integrations.wording import in_words
from mailboxes.models import Mailbox
from operations.documents.desired import DesiredIntegration, DesiredMailbox, DocumentWrong
from operations.documents.stored import mailbox_wish, stored_settings

MAILBOX_FIELDS = {
    "enabled": "Running",
    "start_at": "Start time",
    "folder_allow": "Only these folders",
    "folder_deny": "Never these folders",
    "participant_allow": "Only with these participants",
    "participant_deny": "Never with these participants",
    "domain_allow": "Only with these domains",
    "domain_deny": "Never with these domains",
    "meetings": "Meeting messages",
    "reports": "Delivery and read reports",
}
"""What a document says of a mailbox, by the name of the model's field, and as the form calls it."""


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One thing that would be otherwise. Before or after is empty when something is added or goes."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change."""

    wish: DesiredIntegration
    integration: Integration | None
    """None: it would be created."""
    settings: tuple[PlannedChange, ...] = ()
    added: tuple[DesiredMailbox, ...] = ()
    changed: tuple[tuple[Mailbox, DesiredMailbox, tuple[PlannedChange, ...]], ...] = ()
    removed: tuple[Mailbox, ...] = ()
    destinations: dict[str, Destination] = field(default_factory=dict)
    latest: datetime | None = None
    """When what is stored was last changed; None when nothing is."""

    @property
    def is_empty(self) -> bool:
        return self.integration is not None and not (self.settings or self.added or self.changed or self.removed)

    @property
    def new_mailboxes(self) -> list[tuple[DesiredMailbox, Sequence[PlannedChange]]]:
        """Each with what is said of it and not what a mailbox is by itself."""
        return [(wish, new_mailbox_lines(wish)) for wish in self.added]

    @property
    def digest(self) -> str:
        """Two plans that do the same have the same: what was confirmed is what is carried out."""
        changes = [(mailbox.pk, lines) for mailbox, _, lines in self.changed]
        told = (
            self.integration and self.integration.pk,
            self.settings,
            self.added,
            changes,
            [mailbox.pk for mailbox in self.removed],
            [hashlib.sha256(value.encode()).hexdigest() for value in self.wish.secrets.values()],
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()


def planned(wish: DesiredIntegration) -> Plan:
    """Compare a document with what is stored. Raises DocumentWrong when a bucket's destination cannot be told."""
    integration = Integration.objects.filter(project=wish.project, name=wish.name).first()
    if integration is None:
        wish = replace(wish, settings={**wish.usual, **wish.settings})
    destinations = {destination.name: destination for destination in Destination.objects.all()}
    rows = list(integration.mailboxes.select_related("bucket__destination")) if integration else []
    there = {row.address.casefold(): row for row in rows}
    wanted = {mailbox.address.casefold(): mailbox for mailbox in wish.mailboxes}
    check_destinations(wish.mailboxes, there, destinations)
    return Plan(
        wish,
        integration,
        tuple(_settings(wish, integration)),
        tuple(mailbox for key, mailbox in wanted.items() if key not in there),
        tuple(_changed(there, wanted)),
        tuple(row for key, row in there.items() if key not in wanted),
        destinations,
        max([integration.updated_at, *(row.updated_at for row in rows)]) if integration else None,
    )


def check_destinations(
    mailboxes: Iterable[DesiredMailbox], there: Collection[str], destinations: dict[str, Destination]
) -> None:
    """Raises DocumentWrong where the destination of a bucket cannot be told. `there`: addresses that have a bucket already."""
    for mailbox in mailboxes:
        if mailbox.destination and mailbox.destination not in destinations:
            raise DocumentWrong(
                f"{mailbox.address}: there is no destination “{mailbox.destination[:80]}”. Add it first."
            )
        if not mailbox.destination and mailbox.address.casefold() not in there and len(destinations) != 1:
            raise DocumentWrong(
                "There is no destination yet. Add one first."
                if not destinations
                else f"{mailbox.address}: there are several destinations. Name one in bucket_specification.destination."
            )


def _settings(wish: DesiredIntegration, integration: Integration | None) -> Iterable[PlannedChange]:
    before = stored_settings(integration) if integration else {}
    for name, value in wish.settings.items():
        if before.get(name) != value and not (integration is None and value in ("", None)):
            yield _line(label_of(Integration, name), _named(name, before.get(name)), _named(name, value))
    for name in wish.secrets:
        stored: Secret = getattr(integration, name) if integration else Secret("")
        has_one = bool(stored)
        # One that may not be sent to where the row says is entered again, although it is the same.
        if not _holds(stored, wish.secrets[name]) or (integration and integration.not_for(name)):
            yield PlannedChange(
                label_of(Integration, name),
                "a secret" if has_one else "empty",
                "another secret" if has_one else "a secret",
            )
    if wish.enabled is not None and wish.enabled is not (integration is not None and integration.enabled):
        yield PlannedChange("Running", in_words(not wish.enabled), in_words(wish.enabled))


def _named(name: str, value: Any) -> Any:
    """A certificate by its thumbprint: nobody knows it by its text."""
    if name != "client_certificate" or not value:
        return value
    try:
        return facts(str(value)).thumbprint
    except CertificateWrong:
        return "unreadable"


def _holds(stored: Secret, plain: str) -> bool:
    """Whether it is this secret. One that no key opens is another, and can be replaced."""
    try:
        return stored.reveal() == plain
    except SecretUnreadable:
        return False


def _changed(
    there: dict[str, Mailbox], wanted: dict[str, DesiredMailbox]
) -> Iterable[tuple[Mailbox, DesiredMailbox, tuple[PlannedChange, ...]]]:
    for key, wish in wanted.items():
        if key in there and (lines := tuple(mailbox_lines(there[key], wish))):
            yield there[key], wish, lines


def mailbox_lines(row: Mailbox, wish: DesiredMailbox) -> Sequence[PlannedChange]:
    """What would be otherwise of this mailbox, its address left aside."""
    now = mailbox_wish(row)
    lines = [
        _line(label, getattr(now, name), getattr(wish, name))
        for name, label in MAILBOX_FIELDS.items()
        if getattr(now, name) != getattr(wish, name)
    ]
    destination = wish.destination or now.destination
    if (now.destination, now.project, now.bucket) != (destination, wish.project, wish.bucket):
        after = f"{wish.project}/{wish.bucket} at {destination}"
        lines.append(PlannedChange("Bucket", f"{now.project}/{now.bucket} at {now.destination}", after))
    return lines


def new_mailbox_lines(wish: DesiredMailbox) -> Sequence[PlannedChange]:
    """What this mailbox has that others have not, its address and bucket left aside."""
    usual = DesiredMailbox(wish.address, wish.project, wish.bucket)
    lines = [
        replace(_line(label, None, getattr(wish, name)), before="")
        for name, label in MAILBOX_FIELDS.items()
        if getattr(wish, name) != getattr(usual, name)
    ]
    return [*lines, *([PlannedChange("Destination", "", wish.destination)] if wish.destination else [])]


def _line(what: str, before: Any, after: Any) -> PlannedChange:
    return PlannedChange(what, in_words(list(before) if isinstance(before, tuple) else before), in_words(_plain(after)))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
