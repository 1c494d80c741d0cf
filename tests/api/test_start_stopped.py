"""One request starts all mailboxes of a destination or bucket that an error stopped, and no others."""

from __future__ import annotations

import pytest
from django.urls import reverse

from access.models import AuditEntry
from mailboxes.models import Mailbox
from tests import factories
from tests.api.conftest import client_of


@pytest.mark.parametrize("kind", ["destination", "bucket"])
def test_mailboxes_that_an_error_stopped_are_started_and_an_audit_entry_is_written(db, kind):
    mailbox = factories.MailboxFactory(enabled=False, disabled_reason="sync_error", disabled_detail="Refused.")
    by_hand = factories.MailboxFactory(stopped=True, bucket=mailbox.bucket)
    row = mailbox.bucket if kind == "bucket" else mailbox.bucket.destination
    url = reverse(f"api-{kind}-start-stopped", args=[row.pk])
    answer = client_of("Operator").post(url)
    assert (answer.status_code, answer.json()) == (200, {"detail": "1 mailbox is started."})
    assert list(Mailbox.objects.filter(enabled=True)) == [mailbox]
    assert not Mailbox.objects.get(pk=by_hand.pk).enabled
    entry = AuditEntry.objects.get()
    assert (entry.about, entry.object_id, entry.text) == (kind, row.pk, "1 mailbox is started.")
    assert client_of("Operator").post(url).status_code == 422
