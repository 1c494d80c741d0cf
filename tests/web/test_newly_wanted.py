"""Newly wanted emails: the problem on the overview, the pages with the decision, the API and the command."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from access.models import AuditEntry
from sync.models import LedgerEntry, MailboxItem, MailboxState, RulesAnswer
from sync.reporting import alerts
from tests import factories
from tests.api.conftest import client_of


@pytest.fixture
def folder(db):
    """A folder with three newly wanted emails. The bucket already has the comment of one of them."""
    folder = factories.SyncedFolderFactory()
    factories.MailboxStateFactory(mailbox=folder.mailbox)
    factories.newly_wanted(folder, 3)
    delivered = MailboxItem.objects.first()
    factories.LedgerEntryFactory(bucket=folder.mailbox.bucket, comment_id=delivered.comment_id)
    return folder


def current_problem():
    return next((it for it in alerts.problems(timezone.now()) if it.about == "newly_wanted"), None)


def test_the_problem_states_the_number_of_emails_and_ai_units(admin, folder):
    problem = current_problem()
    assert (problem.title, problem.count) == ("Action required", 3)
    assert "3 emails are newly wanted" in problem.text
    assert "costs 2 AI units." in problem.text
    page = admin.get("/").text
    assert "Action required" in page
    assert "Bring them" in page
    assert "Leave them" in page


def test_while_folders_are_searched_the_price_is_preliminary(admin, folder):
    MailboxState.objects.update(looked_for=1)
    assert "2 AI units so far; folders are still being scanned" in current_problem().text


def test_with_drafts_the_price_is_an_upper_limit(folder):
    factories.newly_wanted(folder, 1, draft=True)
    assert "at most 3 AI units" in current_problem().text


def test_with_participant_filters_the_price_is_an_upper_limit(folder):
    folder.mailbox.domain_deny = ["south.example"]
    folder.mailbox.save()
    assert "at most 2 AI units" in current_problem().text


@pytest.mark.parametrize(("answer", "bring"), [("bring", True), ("leave", False)])
def test_a_decision_is_confirmed_then_stored_and_recorded(admin, folder, answer, bring):
    address = f"{reverse(f'newly-wanted-{answer}')}?integration={folder.mailbox.integration_id}"
    question = admin.get(address).text
    assert "2 AI units" in question
    assert not RulesAnswer.objects.exists()
    page = admin.post(address, follow=True).text
    assert "3 emails of" in page
    assert RulesAnswer.objects.get().bring is bring
    assert RulesAnswer.objects.get().by == "admin"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.integration_id) == ("admin", folder.mailbox.integration_id)
    assert str(folder.mailbox) in str(entry.changes)
    assert current_problem() is None


def test_emails_that_were_left_are_shown_and_can_be_brought_later(admin, folder):
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
def test_an_unknown_mailbox_or_integration_is_no_decision_for_all(admin, folder, what):
    assert admin.post(f"{reverse('newly-wanted-bring')}?{what}=999999").status_code == 404
    assert admin.post(f"{reverse('newly-wanted-bring')}?{what}=").status_code == 404
    assert not RulesAnswer.objects.exists()


def test_a_second_decision_does_not_replace_the_first(admin, folder):
    admin.post(reverse("newly-wanted-leave"))
    page = admin.post(reverse("newly-wanted-bring"), follow=True).text
    assert "is waiting for a decision" in page
    assert not RulesAnswer.objects.get().bring


@pytest.mark.parametrize("role", ["nobody", "Viewer", "Operator"])
def test_only_administrators_may_decide(folder, role):
    client = client_of(role)
    pk = folder.mailbox_id
    for address in (f"mailboxes/{pk}/bring-newly-wanted", "mailboxes/leave-newly-wanted?enabled=true"):
        assert client.post(f"/api/v1/{address}").status_code in (401, 403)
    assert not RulesAnswer.objects.exists()


def test_the_api_returns_the_numbers_and_stores_the_decision(folder):
    api, pk = client_of("Administrator"), folder.mailbox_id
    output = api.get("/api/v1/newly-wanted").json()
    assert output == {
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


def test_the_command_shows_the_numbers_and_stores_the_decision(folder):
    output = StringIO()
    call_command("newly_wanted", stdout=output)
    assert f"{folder.mailbox}: 3 waiting" in output.getvalue()
    with pytest.raises(CommandError, match="Choose the mailboxes"):
        call_command("newly_wanted", "--bring")
    with pytest.raises(CommandError, match="no such mailbox"):
        call_command("newly_wanted", "--bring", "--mailbox", "nobody@nowhere.example")
    call_command("newly_wanted", "--bring", "--mailbox", folder.mailbox.address, stdout=StringIO())
    assert RulesAnswer.objects.get().bring
    assert "manage.py newly_wanted" in AuditEntry.objects.get().who


def test_emails_that_were_delivered_in_the_meantime_are_not_in_the_price(folder):
    factories.LedgerEntryFactory(bucket=folder.mailbox.bucket, comment_id=MailboxItem.objects.last().comment_id)
    assert "costs 1 AI unit." in current_problem().text
    assert LedgerEntry.objects.count() == 2
