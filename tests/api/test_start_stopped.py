"""What an error stopped is started by one request, as by one button."""

from __future__ import annotations

import pytest
from django.urls import reverse

from access.models import AuditEntry
from mailboxes.models import Mailbox
from tests import factories
from tests.api.conftest import client_of


@pytest.mark.parametrize("kind", ["destination", "bucket"])
def test_what_an_error_stopped_is_started_and_written_down(db, kind):
    mailbox = factories.MailboxFactory(enabled=False, disabled_reason="sync_error", disabled_detail="Refused.")
    by_hand = factories.MailboxFactory(stopped=True, bucket=mailbox.bucket)
    row = mailbox.bucket if kind == "bucket" else mailbox.bucket.destination
    url = reverse(f"api-{kind}-start-stopped", args=[row.pk])
    answer = client_of("Operator").post(url)
    assert (answer.status_code, answer.json()) == (200, {"detail": "1 mailbox is started."})
    assert list(Mailbox.objects.filter(enabled=True)) == [mailbox]
    assert not Mailbox.objects.get(pk=by_hand.pk).enabled
    act = AuditEntry.objects.get()
    assert (act.about, act.object_id, act.text) == (kind, row.pk, "1 mailbox is started.")
    assert client_of("Operator").post(url).status_code == 422
