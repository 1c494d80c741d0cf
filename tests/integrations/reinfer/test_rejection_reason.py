"""The reason of a rejection never contains text of the email."""

from __future__ import annotations

import pytest

from integrations.messages import Attachment, Message
from integrations.reinfer.rejection_reason import is_about_quota, reason
from integrations.reinfer.responses import ContentRefused
from tests.integrations.reinfer.comments import comment

MAIL = comment(
    message=Message(
        subject="Salary of Mr Müller",
        body="Dear Ann,\r\n\r\nthe  salary of Mr Müller rises to 91,500.\nNobody may know.",
        signature="Eve Payroll",
        sender='"Eve Example" <eve@bank.example>',
        to=("Ann Archer <ann@bank.example>",),
        bcc=("hidden@bank.example",),
    ),
    properties={"string:Folder": "Inbox/Salaries 2026"},
    attachments=(Attachment("müller.xlsx", 1, "application/x"),),
)


def refused(message: str, status: int = 422) -> ContentRefused:
    return ContentRefused(status, message, with_message=False)


@pytest.mark.parametrize(
    "message",
    [
        "comments[3].messages[0].body.text: must have at most 65536 characters",
        "body: comments[0] has unknown keys",
        "can't accept more than 128 attachments",
    ],
)
def test_a_message_free_of_content_is_the_reason(message: str) -> None:
    assert reason(refused(message), MAIL) == f"HTTP 422: {message}"


@pytest.mark.parametrize(
    "message",
    [
        "invalid text: 'Dear Ann, the salary of Mr M…'",
        "not allowed: THE SALARY OF MR MÜLLER",
        "'Müller' is not valid",
        "can't accept 'Müller' here",
        "bad address eve@bank.example",
        "bad address Eve Example",
        "bad address hidden@bank.example",
        "bad name müller.xlsx",
        f"comment {MAIL.id} is bad",
        f"comment {MAIL.id[:16]}… is bad",
        "bad folder Salaries 2026 somewhere",
        "Eve Payroll is no signature",
    ],
)
def test_a_message_that_quotes_the_email_is_left_out(message: str) -> None:
    assert reason(refused(message), MAIL) == "HTTP 422"


def test_without_a_message_the_reason_is_the_status() -> None:
    assert reason(refused("", 413), MAIL) == "HTTP 413"


def test_a_quota_error_is_distinguished_from_an_email_that_mentions_quotas() -> None:
    assert is_about_quota(refused("Comment quota hit"), [MAIL])
    assert not is_about_quota(refused("bad text"), [MAIL])
    assert not is_about_quota(refused("bad text 'our Quota'"), [MAIL, comment(body="About our Quota")])
