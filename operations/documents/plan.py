"""Compare a document with the stored state. Reads the database and writes nothing."""

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
from integrations.wording import display_text
from mailboxes.models import Mailbox
from operations.documents.desired import DesiredIntegration, DesiredMailbox, DocumentWrong
from operations.documents.stored import desired_mailbox, stored_settings

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
"""The settings of a mailbox in a document, except address and bucket: the name of the model's field, and its label."""


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One change as texts.

    Attributes:
        what: The label of what changes.
        before: The value before.
        after: The value after.
    """

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that a document makes.

    Attributes:
        desired: The desired state.
        integration: The stored integration; None if the plan creates it.
        settings: The changed settings.
        added: The mailboxes to create.
        changed: The mailboxes to change, each with its desired state and its changes.
        removed: The mailboxes to delete.
        destinations: All destinations by name.
        latest: When the stored integration or one of its mailboxes was last changed; None for a new
            integration.
    """

    desired: DesiredIntegration
    integration: Integration | None
    settings: tuple[PlannedChange, ...] = ()
    added: tuple[DesiredMailbox, ...] = ()
    changed: tuple[tuple[Mailbox, DesiredMailbox, tuple[PlannedChange, ...]], ...] = ()
    removed: tuple[Mailbox, ...] = ()
    destinations: dict[str, Destination] = field(default_factory=dict)
    latest: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the stored state is the desired state."""
        return self.integration is not None and not (self.settings or self.added or self.changed or self.removed)

    @property
    def new_mailboxes(self) -> list[tuple[DesiredMailbox, Sequence[PlannedChange]]]:
        """The mailboxes to create, each with its settings that differ from the defaults, and the destination if named."""
        return [(desired, new_mailbox_lines(desired)) for desired in self.added]

    @property
    def digest(self) -> str:
        """A digest of the changes. It shows whether the plan to apply equals the plan that the admin confirmed."""
        changes = [(mailbox.pk, lines) for mailbox, _, lines in self.changed]
        parts = (
            self.integration and self.integration.pk,
            self.settings,
            self.added,
            changes,
            [mailbox.pk for mailbox in self.removed],
            [hashlib.sha256(value.encode()).hexdigest() for value in self.desired.secrets.values()],
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def planned(desired: DesiredIntegration) -> Plan:
    """Compare a document with the stored state.

    Args:
        desired: The desired state.

    Returns:
        The plan.

    Raises:
        DocumentWrong: The document names a destination that does not exist. Or it names no destination for a new mailbox,
            and the number of stored destinations is not one.
    """
    integration = Integration.objects.filter(project=desired.project, name=desired.name).first()
    if integration is None:
        desired = replace(desired, settings={**desired.defaults, **desired.settings})
    destinations = {destination.name: destination for destination in Destination.objects.all()}
    rows = list(integration.mailboxes.select_related("bucket__destination")) if integration else []
    stored = {row.address.casefold(): row for row in rows}
    wanted = {mailbox.address.casefold(): mailbox for mailbox in desired.mailboxes}
    check_destinations(desired.mailboxes, stored, destinations)
    return Plan(
        desired,
        integration,
        tuple(_settings(desired, integration)),
        tuple(mailbox for key, mailbox in wanted.items() if key not in stored),
        tuple(_changed(stored, wanted)),
        tuple(row for key, row in stored.items() if key not in wanted),
        destinations,
        max([integration.updated_at, *(row.updated_at for row in rows)]) if integration else None,
    )


def check_destinations(
    mailboxes: Iterable[DesiredMailbox], stored: Collection[str], destinations: dict[str, Destination]
) -> None:
    """Check that the destination of each bucket exists and is unambiguous.

    Args:
        mailboxes: The desired mailboxes.
        stored: The addresses of stored mailboxes in lower case. These mailboxes have a bucket already.
        destinations: All destinations by name.

    Raises:
        DocumentWrong: The document names a destination that does not exist. Or it names no destination for a new mailbox,
            and the number of stored destinations is not one.
    """
    for mailbox in mailboxes:
        if mailbox.destination and mailbox.destination not in destinations:
            raise DocumentWrong(
                f"{mailbox.address}: there is no destination “{mailbox.destination[:80]}”. Add it first."
            )
        if not mailbox.destination and mailbox.address.casefold() not in stored and len(destinations) != 1:
            raise DocumentWrong(
                "There is no destination yet. Add one first."
                if not destinations
                else f"{mailbox.address}: there are several destinations. Name one in bucket_specification."
                "destination, which only the format of Re:infer's API has."
            )


def _settings(desired: DesiredIntegration, integration: Integration | None) -> Iterable[PlannedChange]:
    before = stored_settings(integration) if integration else {}
    for name, value in desired.settings.items():
        if before.get(name) != value and not (integration is None and value in ("", None)):
            yield _planned_change(
                label_of(Integration, name), _displayed(name, before.get(name)), _displayed(name, value)
            )
    for name in desired.secrets:
        stored: Secret = getattr(integration, name) if integration else Secret("")
        is_set = bool(stored)
        # A secret that is not bound to the present endpoint counts as changed, even if its value is the same.
        if not _is_same(stored, desired.secrets[name]) or (integration and integration.not_for(name)):
            yield PlannedChange(
                label_of(Integration, name),
                "a secret" if is_set else "empty",
                "another secret" if is_set else "a secret",
            )
    if desired.enabled is not None and desired.enabled is not (integration is not None and integration.enabled):
        yield PlannedChange("Running", display_text(not desired.enabled), display_text(desired.enabled))


def _displayed(name: str, value: Any) -> Any:
    """Return the thumbprint of a certificate, because its text is not readable. Return other values unchanged."""
    if name != "client_certificate" or not value:
        return value
    try:
        return facts(str(value)).thumbprint
    except CertificateWrong:
        return "unreadable"


def _is_same(stored: Secret, plain: str) -> bool:
    """Whether the stored secret has this value. If no key decrypts the stored secret, it counts as different."""
    try:
        return stored.reveal() == plain
    except SecretUnreadable:
        return False


def _changed(
    stored: dict[str, Mailbox], wanted: dict[str, DesiredMailbox]
) -> Iterable[tuple[Mailbox, DesiredMailbox, tuple[PlannedChange, ...]]]:
    for key, desired in wanted.items():
        if key in stored and (lines := tuple(mailbox_lines(stored[key], desired))):
            yield stored[key], desired, lines


def mailbox_lines(row: Mailbox, desired: DesiredMailbox) -> Sequence[PlannedChange]:
    """Return the changes of a mailbox, except a change of its address.

    Args:
        row: The stored mailbox with its bucket and destination.
        desired: The desired mailbox.

    Returns:
        One line for each change.
    """
    now = desired_mailbox(row)
    lines = [
        _planned_change(label, getattr(now, name), getattr(desired, name))
        for name, label in MAILBOX_FIELDS.items()
        if getattr(now, name) != getattr(desired, name)
    ]
    destination = desired.destination or now.destination
    if (now.destination, now.project, now.bucket) != (destination, desired.project, desired.bucket):
        after = f"{desired.project}/{desired.bucket} at {destination}"
        lines.append(PlannedChange("Bucket", f"{now.project}/{now.bucket} at {now.destination}", after))
    return lines


def new_mailbox_lines(desired: DesiredMailbox) -> Sequence[PlannedChange]:
    """Return the settings of a new mailbox that differ from the defaults, without address and bucket.

    Args:
        desired: The desired mailbox.

    Returns:
        One line for each setting, and one for the destination if the document names it.
    """
    default = DesiredMailbox(desired.address, desired.project, desired.bucket)
    lines = [
        replace(_planned_change(label, None, getattr(desired, name)), before="")
        for name, label in MAILBOX_FIELDS.items()
        if getattr(desired, name) != getattr(default, name)
    ]
    return [*lines, *([PlannedChange("Destination", "", desired.destination)] if desired.destination else [])]


def _planned_change(what: str, before: Any, after: Any) -> PlannedChange:
    return PlannedChange(
        what, display_text(list(before) if isinstance(before, tuple) else before), display_text(_plain(after))
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
