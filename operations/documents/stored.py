"""Read the stored state as a desired state, for the export and for the comparison with a document.

The desired state contains no secret.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, Prefetch, QuerySet

from integrations.models import Integration
from mailboxes.models import Mailbox
from operations.documents.desired import DesiredIntegration, DesiredMailbox
from operations.documents.reinfer_format import write_vendor

SETTINGS = (
    *("title", "microsoft_api", "endpoint", "auth", "access", "username", "tenant_id", "client_id", "authority"),
    *("client_certificate", "client_thumbprint", "build_version"),
    *("tls_minimum", "tls_ciphers", "ca_bundle", "proxy", "user_agent", "poll_interval", "most_at_once"),
)


def stored_settings(integration: Integration) -> dict[str, Any]:
    """Return the settings of an integration.

    Args:
        integration: The integration.

    Returns:
        The settings by the name of the model's field, without secrets.
    """
    return {name: getattr(integration, name) for name in SETTINGS}


def latest_change(integration: Integration) -> datetime:
    """Return when the settings of an integration or of one of its mailboxes were last changed.

    An exported document contains this time as `updated_at`, for an optimistic lock.

    Args:
        integration: The integration.

    Returns:
        The time in UTC.
    """
    last: datetime | None = integration.mailboxes.aggregate(last=Max("updated_at"))["last"]
    return max(integration.updated_at, last) if last else integration.updated_at


def desired_mailbox(row: Mailbox) -> DesiredMailbox:
    """Return the state of a mailbox as a desired state.

    Args:
        row: The mailbox with its bucket and destination.

    Returns:
        The state.
    """
    return DesiredMailbox(
        address=row.address,
        project=row.bucket.project,
        bucket=row.bucket.name,
        destination=row.bucket.destination.name,
        enabled=row.enabled,
        start_at=row.start_at,
        folder_allow=tuple(tuple(path) for path in row.folder_allow),
        folder_deny=tuple(tuple(path) for path in row.folder_deny),
        participant_allow=tuple(row.participant_allow),
        participant_deny=tuple(row.participant_deny),
        domain_allow=tuple(row.domain_allow),
        domain_deny=tuple(row.domain_deny),
        meetings=row.meetings,
        reports=row.reports,
    )


def with_mailboxes(integrations: QuerySet[Integration]) -> QuerySet[Integration]:
    """Prefetch the mailboxes, so that an export of many integrations takes no more queries than an export of one.

    Args:
        integrations: The integrations.

    Returns:
        The query with its prefetch.
    """
    return integrations.prefetch_related(
        Prefetch("mailboxes", Mailbox.objects.select_related("bucket__destination"), to_attr="all_mailboxes")
    )


def _mailboxes(integration: Integration) -> list[Mailbox]:
    prefetched: list[Mailbox] | None = getattr(integration, "all_mailboxes", None)
    return list(integration.mailboxes.select_related("bucket__destination")) if prefetched is None else prefetched


def exported(integration: Integration) -> dict[str, Any]:
    """Return an integration with all its mailboxes in the format of Re:infer, without its secrets.

    Args:
        integration: The integration.

    Returns:
        The document.
    """
    rows = _mailboxes(integration)
    reasons = {row.address.casefold(): row.disabled_reason for row in rows}
    state = DesiredIntegration(
        integration.project,
        integration.name,
        stored_settings(integration),
        enabled=integration.enabled,
        mailboxes=tuple(desired_mailbox(row) for row in rows),
        updated_at=max([integration.updated_at, *(row.updated_at for row in rows)]),
    )
    return write_vendor(state, lambda address: reasons.get(address, ""))
