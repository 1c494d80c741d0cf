"""The audit log: the entries of forms and buttons, and their values, which contain no secret."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from access.models import AuditEntry
from sync.models import DeadLetter
from tests.factories import IntegrationFactory, MailboxFactory, MailboxStateFactory, SyncedFolderFactory

SECRET = "a new password nobody may read"


@pytest.fixture
def integration(db):
    return IntegrationFactory(title="Operations")


def edit(admin, integration, **changed):
    address = reverse("integration-edit", args=[integration.pk])
    form = admin.get(address).context["form"]
    sent = {name: value for name, value in form.initial.items() if value is not None}
    return admin.post(address, {**sent, **changed})


def test_a_change_is_recorded_with_the_values_before_and_after(admin, integration):
    edit(admin, integration, title="Trading")
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.about, entry.integration_id) == ("admin", "integration", integration.pk)
    assert [(before, after) for _, before, after in entry.changes] == [("Operations", "Trading")]
    page = admin.get(reverse("history") + f"?integration={integration.pk}").text
    assert "<del>Operations</del>" in page
    assert "<ins>Trading</ins>" in page


def test_the_change_of_a_secret_is_recorded_without_its_value(admin, integration):
    edit(admin, integration, password=SECRET)
    assert "another secret" in str(AuditEntry.objects.get().changes)
    assert SECRET not in admin.get(reverse("history")).text
    assert SECRET not in str(list(AuditEntry.objects.values()))


def test_an_action_on_a_mailbox_is_in_the_audit_log_of_its_integration_and_of_no_other_mailbox(admin, integration):
    mailbox, other = MailboxFactory(integration=integration), MailboxFactory()
    MailboxStateFactory(mailbox=mailbox)
    admin.post(reverse("mailbox-stop", args=[mailbox.pk]))
    line = f"{mailbox} is stopped."
    assert line in admin.get(reverse("history") + f"?integration={integration.pk}").text
    assert line in admin.get(reverse("history") + f"?mailbox={mailbox.pk}").text
    assert line not in admin.get(reverse("history") + f"?mailbox={other.pk}").text


def test_a_refused_action_is_not_recorded(admin, integration):
    mailbox = MailboxFactory(integration=integration, enabled=False, disabled_reason="user")
    admin.post(reverse("mailbox-sync-now", args=[mailbox.pk]))
    assert not AuditEntry.objects.exists()


def test_the_deletion_of_a_mailbox_is_recorded(admin, integration):
    mailbox = MailboxFactory(integration=integration)
    admin.post(reverse("mailbox-delete", args=[mailbox.pk]))
    assert f"{mailbox} was deleted." in admin.get(reverse("history")).text


@pytest.mark.parametrize("query", ["?mailbox=x", "?mailbox=99999999999999999999", "?page=x", "?integration="])
def test_invalid_query_strings_are_no_error(admin, query):
    assert admin.get(reverse("history") + query).status_code == 200


def test_an_action_on_a_failed_email_is_in_the_audit_log_of_its_mailbox_and_names_the_email(admin, integration):
    mailbox = MailboxFactory(integration=integration)
    MailboxStateFactory(mailbox=mailbox)
    folder = SyncedFolderFactory(mailbox=mailbox, path=["Inbox", "Trades"])
    email = DeadLetter.objects.create(
        mailbox=mailbox, folder=folder, item_id="x", stage="push", reason="HTTP 422", last_at=timezone.now(),
        received=datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
    )  # fmt: skip
    admin.post(reverse("set-aside-dismiss", args=[email.pk]))
    sentence = f"The email in Inbox/Trades of {mailbox} that arrived 2026-03-02 08:30 UTC is dismissed"
    assert sentence in admin.get(reverse("history") + f"?mailbox={mailbox.pk}").text
    assert sentence in admin.get(reverse("history") + f"?integration={integration.pk}").text


def test_an_action_on_many_mailboxes_names_each_of_them(admin, integration):
    boxes = [MailboxFactory(integration=integration) for _ in range(3)]
    admin.post(
        reverse("integration-select", args=[integration.pk]), {"act": "stop", "mailbox": [box.pk for box in boxes]}
    )
    page = admin.get(reverse("history") + f"?integration={integration.pk}").text
    assert "3 mailboxes are stopped." in page
    assert all(f"<ins>{box.address}</ins>" in page for box in boxes)
