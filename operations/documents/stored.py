"""What is stored, as the wish that would make it: for export, and to compare a document with. Never a secret."""

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
    return {name: getattr(integration, name) for name in SETTINGS}


def latest_change(integration: Integration) -> datetime:
    """When it or one of its mailboxes was last changed by people: their `updated_at` is what the vendor's documents are
    locked by."""
    last: datetime | None = integration.mailboxes.aggregate(last=Max("updated_at"))["last"]
    return max(integration.updated_at, last) if last else integration.updated_at


def mailbox_wish(row: Mailbox) -> DesiredMailbox:
    """Of a mailbox with its bucket and destination at hand."""
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
    """For who exports many of them: as many queries as for one."""
    return integrations.prefetch_related(
        Prefetch("mailboxes", Mailbox.objects.select_related("bucket__destination"), to_attr="all_mailboxes")
    )


def _mailboxes(integration: Integration) -> list[Mailbox]:
    there: list[Mailbox] | None = getattr(integration, "all_mailboxes", None)
    return list(integration.mailboxes.select_related("bucket__destination")) if there is None else there


def exported(integration: Integration) -> dict[str, Any]:
    """The integration with all its mailboxes in the vendor's shape, without its secrets."""
    rows = _mailboxes(integration)
    reasons = {row.address.casefold(): row.disabled_reason for row in rows}
    wish = DesiredIntegration(
        integration.project,
        integration.name,
        stored_settings(integration),
        enabled=integration.enabled,
        mailboxes=tuple(mailbox_wish(row) for row in rows),
        updated_at=max([integration.updated_at, *(row.updated_at for row in rows)]),
    )
    return write_vendor(wish, lambda address: reasons.get(address, ""))
