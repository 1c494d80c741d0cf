"""What only newer rules want: the line on the overview, the pages that ask, the API and the command."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from access.models import AuditEntry
from sync.models import LedgerEntry, MailboxItem, MailboxState, RulesAnswer
from sync.reporting import attention
from tests import factories
from tests.api.conftest import client_of


@pytest.fixture
def folder(db):
    """Of a mailbox with three such emails, of which the bucket holds one already."""
    folder = factories.SyncedFolderFactory()
    factories.MailboxStateFactory(mailbox=folder.mailbox)
    factories.newly_wanted(folder, 3)
    held = MailboxItem.objects.first()
    factories.LedgerEntryFactory(bucket=folder.mailbox.bucket, comment_id=held.comment_id)
    return folder


def line():
    return next((it for it in attention.problems(timezone.now()) if it.about == "newly_wanted"), None)


def test_the_line_says_how_many_emails_and_ai_units_will_come(admin, folder):
    found = line()
    assert (found.title, found.count) == ("Action required", 3)
    assert "3 emails are newly wanted" in found.text
    assert "costs 2 AI units." in found.text
    page = admin.get("/").text
    assert "Action required" in page
    assert "Bring them" in page
    assert "Leave them" in page


def test_while_folders_are_looked_through_the_line_says_so_far(admin, folder):
    MailboxState.objects.update(looked_for=1)
    assert "2 AI units so far; folders are still being scanned" in line().text


def test_where_drafts_are_among_them_the_price_is_the_most_it_can_be(folder):
    factories.newly_wanted(folder, 1, draft=True)
    assert "at most 3 AI units" in line().text


def test_a_mailbox_that_chooses_its_participants_has_the_most_it_can_be(folder):
    folder.mailbox.domain_deny = ["south.example"]
    folder.mailbox.save()
    assert "at most 2 AI units" in line().text


@pytest.mark.parametrize(("answer", "bring"), [("bring", True), ("leave", False)])
def test_an_answer_is_asked_for_first_then_kept_and_noted(admin, folder, answer, bring):
    address = f"{reverse(f'newly-wanted-{answer}')}?integration={folder.mailbox.integration_id}"
    asked = admin.get(address).text
    assert "2 AI units" in asked
    assert not RulesAnswer.objects.exists()
    said = admin.post(address, follow=True).text
    assert "3 emails of" in said
    assert RulesAnswer.objects.get().bring is bring
    assert RulesAnswer.objects.get().by == "admin"
    act = AuditEntry.objects.get()
    assert (act.who, act.integration_id) == ("admin", folder.mailbox.integration_id)
    assert str(folder.mailbox) in str(act.changes)
    assert line() is None


def test_what_was_left_is_shown_and_can_be_brought_after_all(admin, folder):
    mailbox = folder.mailbox
    admin.post(f"{reverse('newly-wanted-leave')}?mailbox={mailbox.pk}")
    page = admin.get(reverse("mailbox", args=[mailbox.pk])).text
    assert "Bring them after all" in page
    admin.post(f"{reverse('newly-wanted-bring')}?mailbox={mailbox.pk}&left=1")
    assert RulesAnswer.objects.get().bring


def test_an_answer_for_one_integration_leaves_the_others_waiting(admin, folder):
    other = factories.SyncedFolderFactory()
    factories.MailboxStateFactory(mailbox=other.mailbox)
    factories.newly_wanted(other, 1)
    admin.post(f"{reverse('newly-wanted-bring')}?integration={folder.mailbox.integration_id}")
    assert set(RulesAnswer.objects.values_list("mailbox", flat=True)) == {folder.mailbox_id}
    admin.post(reverse("newly-wanted-bring"))
    assert RulesAnswer.objects.count() == 2


@pytest.mark.parametrize("what", ["mailbox", "integration"])
def test_an_address_that_names_nothing_answers_nothing_and_not_for_all(admin, folder, what):
    assert admin.post(f"{reverse('newly-wanted-bring')}?{what}=999999").status_code == 404
    assert admin.post(f"{reverse('newly-wanted-bring')}?{what}=").status_code == 404
    assert not RulesAnswer.objects.exists()


def test_of_two_answers_at_once_the_first_one_counts(admin, folder):
    admin.post(reverse("newly-wanted-leave"))
    said = admin.post(reverse("newly-wanted-bring"), follow=True).text
    assert "waits for an answer" in said
    assert not RulesAnswer.objects.get().bring


@pytest.mark.parametrize("role", ["nobody", "Viewer", "Operator"])
def test_only_administrators_answer(folder, role):
    client = client_of(role)
    pk = folder.mailbox_id
    for address in (f"mailboxes/{pk}/bring-newly-wanted", "mailboxes/leave-newly-wanted?enabled=true"):
        assert client.post(f"/api/v1/{address}").status_code in (401, 403)
    assert not RulesAnswer.objects.exists()


def test_the_api_tells_and_takes_the_answer(folder):
    api, pk = client_of("Administrator"), folder.mailbox_id
    told = api.get("/api/v1/newly-wanted").json()
    assert told == {
        "waiting": 3, "ai_units": 2, "is_most": False, "is_counting": False, "coming": 0, "left": 0,
    }  # fmt: skip
    assert api.post(f"/api/v1/mailboxes/{pk}/leave-newly-wanted").status_code == 200
    assert api.post(f"/api/v1/mailboxes/{pk}/bring-newly-wanted").status_code == 422
    assert api.post(f"/api/v1/mailboxes/{pk}/bring-newly-wanted?left=maybe").status_code == 400
    assert api.get("/api/v1/newly-wanted").json()["left"] == 3
    assert api.post("/api/v1/mailboxes/bring-newly-wanted?left=true").status_code == 422, "without a filter"
    assert api.post("/api/v1/mailboxes/bring-newly-wanted?left=true&enabled=true").status_code == 202
    assert api.get("/api/v1/newly-wanted").json()["coming"] == 3
    assert AuditEntry.objects.count() == 2


def test_the_command_tells_and_takes_the_answer(folder):
    told = StringIO()
    call_command("newly_wanted", stdout=told)
    assert f"{folder.mailbox}: 3 waiting" in told.getvalue()
    with pytest.raises(CommandError, match="Choose which"):
        call_command("newly_wanted", "--bring")
    with pytest.raises(CommandError, match="no such mailbox"):
        call_command("newly_wanted", "--bring", "--mailbox", "nobody@nowhere.example")
    call_command("newly_wanted", "--bring", "--mailbox", folder.mailbox.address, stdout=StringIO())
    assert RulesAnswer.objects.get().bring
    assert "manage.py newly_wanted" in AuditEntry.objects.get().who


def test_what_was_delivered_meanwhile_is_neither_counted_nor_charged(folder):
    factories.LedgerEntryFactory(bucket=folder.mailbox.bucket, comment_id=MailboxItem.objects.last().comment_id)
    assert "costs 1 AI unit." in line().text
    assert LedgerEntry.objects.count() == 2
