"""The page of all set-aside emails: in words, to be searched, and tried again all at once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations import catalogue
from sync import attention
from sync.models import SetAsideEmail
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
    return [email.pk for email in emails if SetAsideEmail.objects.get(pk=email.pk).retry_at]


def test_an_email_says_in_words_why_it_was_set_aside_and_what_to_do(admin, emails):
    text = admin.get(HERE).text
    assert "Exchange cannot hand this email out." in text
    assert "ErrorCorruptData" in text
    assert "New-MailboxRepairRequest" in text
    assert "#while-fetching" in text


def test_what_needs_attention_says_the_same(emails):
    told = {problem.kind: problem for problem in attention.problems(emails[0].last_at)}
    assert told["while fetching"].text.startswith("Exchange cannot hand this email out. (ErrorCorruptData) Try again")
    assert (told["while fetching"].count, told["while pushing"].count) == (2, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 3), ("?q=desk", 2), ("?reason=HTTP+422", 1), ("?q=desk&reason=HTTP+422", 0), ("?q=%00&page=9", 3)],
)
def test_the_list_is_searched_by_address_and_reason(admin, emails, query, found):
    assert admin.get(HERE + query).text.count(">Dismiss<") == found


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
    assert "Nothing is set aside" in admin.get(HERE).text
    assert "No such email" in admin.get(HERE + "?q=x").text


@pytest.mark.parametrize("stage", ["fetch", "transform", "push", "worker"])
def test_every_stage_has_its_words(stage):
    assert catalogue.set_aside_entry(stage, "a code") in catalogue.SET_ASIDE
    assert catalogue.set_aside_entry(stage, "no_date: it bears no date").kind == "no_date"
