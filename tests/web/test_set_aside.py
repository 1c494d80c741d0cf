"""The page of all failed emails: in words, to be searched, and tried again all at once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations import catalogue
from integrations.dead_letter_reasons import HIDDEN_STAGES, DeadLetterKind, Stage
from sync.models import DeadLetter
from sync.reporting import attention
from tests import factories

HERE = "/set-aside/"


@pytest.fixture
def emails(db):
    """Two of one mailbox and one of another."""
    desk = factories.SyncedFolderFactory(mailbox__address="desk@bank.example")
    made = [factories.SetAsideEmailFactory(folder=desk, stage="fetch", reason="ErrorCorruptData") for _ in range(2)]
    other = factories.SyncedFolderFactory(mailbox__address="other@bank.example")
    return [*made, factories.SetAsideEmailFactory(folder=other, reason="HTTP 422")]


def due(emails):
    return [email.pk for email in emails if DeadLetter.objects.get(pk=email.pk).retry_at]


def test_an_email_says_in_words_why_it_was_set_aside_and_what_to_do(admin, emails):
    text = admin.get(HERE).text
    assert "Exchange cannot hand this email out." in text
    assert "ErrorCorruptData" in text
    assert "New-MailboxRepairRequest" in text
    assert "#unreadable" in text


def test_what_needs_attention_says_the_same(emails):
    told = {problem.kind: problem for problem in attention.problems(emails[0].last_at)}
    assert told["unreadable"].text.startswith("Exchange cannot hand this email out. (ErrorCorruptData) Try again")
    assert (told["unreadable"].count, told["refused"].count) == (2, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 3), ("?q=desk", 2), ("?kind=refused", 1), ("?q=desk&kind=refused", 0), ("?q=%00&page=9", 3)],
)
def test_the_list_is_searched_by_address_and_kind(admin, emails, query, found):
    assert admin.get(HERE + query).text.count(">Dismiss<") == found


@pytest.mark.parametrize(("query", "heading"), [("", "All"), ("?q=desk", "Filtered"), ("?kind=refused", "Filtered")])
def test_the_heading_says_whether_the_list_is_filtered(admin, emails, query, heading):
    assert f'<h2 id="waiting">{heading} ' in admin.get(HERE + query).text


def test_all_that_are_chosen_are_tried_again_and_no_other(admin, emails):
    address = reverse("set-aside-retry-shown")
    assert f'action="{address}?q=desk"' in admin.get(HERE + "?q=desk").text
    answer = admin.post(f"{address}?q=desk", {"next": HERE}, follow=True)
    assert "2 emails are tried again" in answer.text
    assert due(emails) == [email.pk for email in emails[:2]]


def test_a_long_list_has_pages(admin, emails):
    folder = emails[0].folder
    for _ in range(60):
        factories.SetAsideEmailFactory(folder=folder)
    assert "Page 1 of 2" in admin.get(HERE).text


def test_nothing_set_aside_is_said_and_not_left_blank(admin, db):
    assert "No failed emails" in admin.get(HERE).text
    assert "No such email" in admin.get(HERE + "?q=x").text


@pytest.mark.parametrize("kind", [kind for kind in DeadLetterKind if kind is not DeadLetterKind.VANISHED])
def test_every_kind_has_its_words(kind):
    assert catalogue.dead_letter_entry(kind, "transform").kind == kind


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in HIDDEN_STAGES])
def test_every_stage_has_words_for_what_a_worker_of_the_version_before_wrote(stage):
    entry = catalogue.dead_letter_entry("", stage)
    assert entry in catalogue.SET_ASIDE
    assert DeadLetterKind(entry.kind).stage is stage


def test_emails_of_one_kind_are_one_problem_whatever_the_other_side_said_of_each(emails):
    DeadLetter.objects.filter(pk=emails[0].pk).update(reason="ErrorItemCorrupt")
    told = {problem.kind: problem for problem in attention.problems(emails[0].last_at)}
    assert told["unreadable"].count == 2
    assert "Error" not in told["unreadable"].text


def test_emails_of_one_kind_are_tried_again_together(admin, emails):
    DeadLetter.objects.filter(pk=emails[0].pk).update(reason="ErrorItemCorrupt")
    admin.post(reverse("set-aside-retry-like", args=[emails[1].pk]))
    assert due(emails) == [email.pk for email in emails[:2]]
