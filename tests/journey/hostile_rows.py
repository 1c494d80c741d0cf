"""Rows with a hostile string in each column that users or servers can fill.

Most of the strings are as long as the column allows.

The rows are created in a process of the product: `manage.py shell -c "from tests.journey.hostile_rows import make; make()"`.
None of the mailboxes becomes due, so the worker does not change them.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from access.models import AuditEntry
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket, Mailbox
from sync.models import SyncedFolder, SyncRun
from tests.factories import (
    ActivityFactory,
    BucketFactory,
    DeadLetterFactory,
    DestinationFactory,
    IntegrationFactory,
    LedgerEntryFactory,
    MailboxFactory,
    MailboxStateFactory,
    SyncedFolderFactory,
    SyncRunFactory,
)
from tests.hostile import hostile

RUNNING, HELD, STOPPED = 91, 92, 93
"""Primary keys of the integrations, and of their buckets and mailboxes."""
ASIDE = 91
TEXT = 2000
"""Number of characters of an error text of a server. The column of such a text has no limit."""


def make() -> None:
    running, held, stopped = _integrations()
    free, refusing = _destinations()
    bucket = _bucket(RUNNING, free, monthly_limit=1)
    retrying = _mailbox(RUNNING, running, bucket)
    _of_a_sync(retrying)
    _mailbox(HELD, held, _bucket(HELD, free, **_hold("bucket-detail")))
    _mailbox(STOPPED, stopped, _bucket(STOPPED, refusing))
    _mailbox(94, running, bucket, **_disabled("mailbox-disabled"))
    LedgerEntryFactory(bucket=bucket)
    ActivityFactory(integration=running, bucket=bucket, created=7)
    _act()


def _integrations() -> tuple[Integration, Integration, Integration]:
    return (
        _integration(RUNNING, "running"),
        _integration(HELD, "held", **_hold("integration-held")),
        _integration(STOPPED, "stopped", **_disabled("integration-disabled")),
    )


def _integration(pk: int, place: str, **values: object) -> Integration:
    row: Integration = IntegrationFactory(
        pk=pk,
        title=hostile(f"{place}-title", 256),
        project=place + "p" * (1024 - len(place)),
        name="n" * 256,
        username=hostile("username", 256),
        proxy=hostile("proxy", 512),
        endpoint=hostile("endpoint", 512),
        tls_ciphers=hostile("ciphers", 1024),
        **values,
    )
    return row


def _destinations() -> tuple[Destination, Destination]:
    # A name has at most 128 characters, so only the markup fits in.
    name = "<img src=x onerror=alert(1)>"
    return (
        DestinationFactory(pk=91, name=name + "W" * 100, endpoint="javascript:alert(1)//" + "x" * 491),
        DestinationFactory(pk=92, name=name + "V" * 100, **_hold("destination-held")),
    )


def _bucket(pk: int, destination: Destination, **values: object) -> Bucket:
    row: Bucket = BucketFactory(pk=pk, destination=destination, project="b" * 1024, name=f"{pk}-" + "c" * 253, **values)
    return row


def _mailbox(pk: int, integration: Integration, bucket: Bucket, **values: object) -> Mailbox:
    name = hostile("filter", 512)
    row: Mailbox = MailboxFactory(
        pk=pk,
        integration=integration,
        bucket=bucket,
        address=hostile(f"address-{pk}", 320),
        folder_allow=[[name, name]],
        participant_deny=[name],
        **values,
    )
    MailboxStateFactory(
        mailbox=row,
        next_sync_at=timezone.now() + timedelta(days=2),
        failures=3,
        failing_since=timezone.now(),
        error_kind="unexpected",
        error_text=hostile("state-error", TEXT),
    )
    return row


def _of_a_sync(mailbox: Mailbox) -> None:
    name = hostile("folder", 512)
    folder: SyncedFolder = SyncedFolderFactory(mailbox=mailbox, name=name, path=["Inbox", name])
    DeadLetterFactory(pk=ASIDE, mailbox=mailbox, folder=folder, reason=hostile("reason", 512))
    SyncRunFactory(mailbox=mailbox, outcome=SyncRun.Outcome.FAILED, error_text=hostile("run-error", TEXT))


def _act() -> None:
    changes = [["title", hostile("before", 256), hostile("after", 256)]]
    AuditEntry.objects.create(
        who="w" * 150, about="integration", object_id=RUNNING, text=hostile("act", 1024), changes=changes
    )


def _hold(place: str) -> dict[str, object]:
    now = timezone.now()
    return {
        "held_since": now,
        "held_until": now + timedelta(days=2),
        "held_kind": "unexpected",
        "held_detail": hostile(place, TEXT),
    }


def _disabled(place: str) -> dict[str, object]:
    return {
        "enabled": False,
        "disabled_reason": DisabledReason.SYNC_ERROR,
        "disabled_detail": hostile(place, TEXT),
    }
