"""Who changed what, and when: every form and every button leaves a line, and none of them a secret."""

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


def test_a_change_is_told_with_what_was_before_and_what_is_now(admin, integration):
    edit(admin, integration, title="Trading")
    act = AuditEntry.objects.get()
    assert (act.who, act.about, act.integration_id) == ("admin", "integration", integration.pk)
    assert [(before, after) for _, before, after in act.changes] == [("Operations", "Trading")]
    page = admin.get(reverse("history") + f"?integration={integration.pk}").text
    assert "<del>Operations</del>" in page
    assert "<ins>Trading</ins>" in page


def test_of_a_secret_only_that_it_was_changed_is_told(admin, integration):
    edit(admin, integration, password=SECRET)
    assert "another secret" in str(AuditEntry.objects.get().changes)
    assert SECRET not in admin.get(reverse("history")).text
    assert SECRET not in str(list(AuditEntry.objects.values()))


def test_a_button_of_a_mailbox_is_told_on_the_history_of_its_integration_and_not_of_others(admin, integration):
    mailbox, other = MailboxFactory(integration=integration), MailboxFactory()
    MailboxStateFactory(mailbox=mailbox)
    admin.post(reverse("mailbox-stop", args=[mailbox.pk]))
    line = f"{mailbox} is stopped."
    assert line in admin.get(reverse("history") + f"?integration={integration.pk}").text
    assert line in admin.get(reverse("history") + f"?mailbox={mailbox.pk}").text
    assert line not in admin.get(reverse("history") + f"?mailbox={other.pk}").text


def test_what_could_not_be_done_leaves_no_line(admin, integration):
    mailbox = MailboxFactory(integration=integration, enabled=False, disabled_reason="user")
    admin.post(reverse("mailbox-sync-now", args=[mailbox.pk]))
    assert not AuditEntry.objects.exists()


def test_a_mailbox_that_was_deleted_is_still_told_of(admin, integration):
    mailbox = MailboxFactory(integration=integration)
    admin.post(reverse("mailbox-delete", args=[mailbox.pk]))
    assert f"{mailbox} was deleted." in admin.get(reverse("history")).text


@pytest.mark.parametrize("query", ["?mailbox=x", "?mailbox=99999999999999999999", "?page=x", "?integration="])
def test_odd_addresses_are_taken_calmly(admin, query):
    assert admin.get(reverse("history") + query).status_code == 200


def test_what_is_done_with_a_set_aside_email_stands_in_the_history_of_its_mailbox_and_says_which_one(
    admin, integration
):
    mailbox = MailboxFactory(integration=integration)
    MailboxStateFactory(mailbox=mailbox)
    folder = SyncedFolderFactory(mailbox=mailbox, path=["Inbox", "Trades"])
    email = DeadLetter.objects.create(
        mailbox=mailbox, folder=folder, item_id="x", stage="push", reason="HTTP 422", last_at=timezone.now(),
        received=datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
    )  # fmt: skip
    admin.post(reverse("set-aside-dismiss", args=[email.pk]))
    told = f"The email in Inbox/Trades of {mailbox}, arrived 2026-03-02 08:30 UTC is dismissed"
    assert told in admin.get(reverse("history") + f"?mailbox={mailbox.pk}").text
    assert told in admin.get(reverse("history") + f"?integration={integration.pk}").text


def test_of_many_mailboxes_each_is_named(admin, integration):
    boxes = [MailboxFactory(integration=integration) for _ in range(3)]
    admin.post(
        reverse("integration-select", args=[integration.pk]), {"act": "stop", "mailbox": [box.pk for box in boxes]}
    )
    page = admin.get(reverse("history") + f"?integration={integration.pk}").text
    assert "3 mailboxes are stopped." in page
    assert all(f"<ins>{box.address}</ins>" in page for box in boxes)
