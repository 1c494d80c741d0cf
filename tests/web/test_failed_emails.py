"""The page of failed emails: their reasons, the search, and the retry of many emails."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations import catalogue
from integrations.dead_letter_reasons import HIDDEN_STAGES, DeadLetterKind, Stage
from sync.models import DeadLetter
from sync.reporting import alerts
from tests import factories

URL = "/set-aside/"


@pytest.fixture
def emails(db):
    """Two failed emails of one mailbox and one of another."""
    desk = factories.SyncedFolderFactory(mailbox__address="desk@bank.example")
    failed = [factories.DeadLetterFactory(folder=desk, stage="fetch", reason="ErrorCorruptData") for _ in range(2)]
    other = factories.SyncedFolderFactory(mailbox__address="other@bank.example")
    return [*failed, factories.DeadLetterFactory(folder=other, reason="HTTP 422")]


def due(emails):
    return [email.pk for email in emails if DeadLetter.objects.get(pk=email.pk).retry_at]


def test_the_page_explains_why_an_email_failed_and_what_to_do(admin, emails):
    text = admin.get(URL).text
    assert "Exchange cannot return this email." in text
    assert "ErrorCorruptData" in text
    assert "New-MailboxRepairRequest" in text
    assert "#unreadable" in text


def test_the_problems_on_the_overview_have_the_same_texts(emails):
    by_kind = {problem.kind: problem for problem in alerts.problems(emails[0].last_at)}
    assert by_kind["unreadable"].text.startswith("Exchange cannot return this email. (ErrorCorruptData) Try again")
    assert (by_kind["unreadable"].count, by_kind["refused"].count) == (2, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 3), ("?q=desk", 2), ("?kind=refused", 1), ("?q=desk&kind=refused", 0), ("?q=%00&page=9", 3)],
)
def test_the_list_is_searched_by_address_and_kind(admin, emails, query, found):
    assert admin.get(URL + query).text.count(">Dismiss<") == found


@pytest.mark.parametrize(("query", "heading"), [("", "All"), ("?q=desk", "Filtered"), ("?kind=refused", "Filtered")])
def test_the_heading_says_whether_the_list_is_filtered(admin, emails, query, heading):
    assert f'<h2 id="waiting">{heading} ' in admin.get(URL + query).text


def test_retry_all_retries_only_the_emails_that_match_the_filter(admin, emails):
    address = reverse("set-aside-retry-shown")
    assert f'action="{address}?q=desk"' in admin.get(URL + "?q=desk").text
    response = admin.post(f"{address}?q=desk", {"next": URL}, follow=True)
    assert "2 emails are tried again" in response.text
    assert due(emails) == [email.pk for email in emails[:2]]


def test_a_long_list_has_pages(admin, emails):
    folder = emails[0].folder
    for _ in range(60):
        factories.DeadLetterFactory(folder=folder)
    assert "Page 1 of 2" in admin.get(URL).text


def test_an_empty_list_has_a_text(admin, db):
    assert "No failed emails" in admin.get(URL).text
    assert "No such email" in admin.get(URL + "?q=x").text


@pytest.mark.parametrize("kind", [kind for kind in DeadLetterKind if kind is not DeadLetterKind.VANISHED])
def test_every_kind_that_is_shown_has_a_catalogue_entry(kind):
    assert catalogue.dead_letter_entry(kind, "transform").kind == kind


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in HIDDEN_STAGES])
def test_every_stage_has_a_catalogue_entry_for_rows_of_an_older_version(stage):
    entry = catalogue.dead_letter_entry("", stage)
    assert entry in catalogue.DEAD_LETTER_ENTRIES
    assert DeadLetterKind(entry.kind).stage is stage


def test_emails_of_one_kind_are_one_problem_also_with_different_details(emails):
    DeadLetter.objects.filter(pk=emails[0].pk).update(reason="ErrorItemCorrupt")
    by_kind = {problem.kind: problem for problem in alerts.problems(emails[0].last_at)}
    assert by_kind["unreadable"].count == 2
    assert "Error" not in by_kind["unreadable"].text


def test_emails_of_one_kind_are_tried_again_together(admin, emails):
    DeadLetter.objects.filter(pk=emails[0].pk).update(reason="ErrorItemCorrupt")
    admin.post(reverse("set-aside-retry-like", args=[emails[1].pk]))
    assert due(emails) == [email.pk for email in emails[:2]]
