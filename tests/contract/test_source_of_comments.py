"""Conversion of fetched emails from every source: other bodies instead of emails, drafts, and thousands of recipients."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from conversion.mime.head import field_names
from conversion.transform import Converted, EmailLocation, NotConvertible, convert
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Email
from mailboxes.rules import FilterVerdict, Rules, participants_verdict
from simulators import pages
from tests.contract.source_reading import inbox, lines, only
from tests.contract.source_rigs import Rig
from tests.mails import NOON, mail, received

LOCATION = EmailLocation("desk@bank.example", ("Inbox",))


def converted(rig: Rig) -> list[Converted | NotConvertible]:
    """Fetch and convert each email of the inbox, newest first."""
    with rig.source() as source:
        fetched = list(source.fetch(lines(source, inbox(source))))
    assert all(isinstance(one, Email) for one in fetched)
    return [convert(one, LOCATION) for one in fetched if isinstance(one, Email)]


@pytest.mark.parametrize("kind", pages.KINDS)
def test_another_body_instead_of_an_email_is_not_converted_and_other_emails_are(rig: Rig, kind: str) -> None:
    items = [rig.deliver(mail(name), received=NOON + timedelta(seconds=n)) for n, name in enumerate("abc")]
    rig.hand_out(items[1], kind)
    outcomes = converted(rig)
    assert [type(one) for one in outcomes] == [Converted, NotConvertible, Converted]
    assert isinstance(outcomes[1], NotConvertible)
    assert outcomes[1].kind is DeadLetterKind.NOT_AN_EMAIL
    assert outcomes[1].detail


def test_an_email_is_fetched_with_its_draft_flag_and_received_headers(rig: Rig) -> None:
    for n, (mime, draft) in enumerate([(mail("a"), False), (received(mail("b")), True), (mail("c"), True)]):
        rig.deliver(mime, draft=draft, received=NOON + timedelta(seconds=n))
    with rig.source() as source:
        listed = lines(source, inbox(source))
        fetched = [one for one in source.fetch(listed) if isinstance(one, Email)]
    assert [change.draft for change in listed] == [True, True, False]
    assert [one.details.draft for one in fetched] == [True, True, False]
    assert [b"received" in field_names(one.mime) for one in fetched] == [False, True, False]


@pytest.mark.parametrize("header", ["Bcc", *(pytest.param(name, marks=pytest.mark.long) for name in ("To", "Cc"))])
def test_filter_rules_apply_to_the_last_of_three_thousand_recipients(rig: Rig, header: str) -> None:
    message = EmailMessage()
    message["From"], message["Message-ID"] = "Ann <ann@north.example>", "<a@north.example>"
    message["Date"] = "Sun, 01 Mar 2026 12:00:00 +0000"
    people = [f'"Person, No {n} (London)" <p{n}@south.example>' for n in range(2999)]
    message[header] = ", ".join([*people, "Eve <eve@denied.example>"])
    message.set_content("Hello")
    rig.deliver(message.as_bytes())
    outcome = only(converted(rig))
    assert isinstance(outcome, Converted)
    assert len(outcome.participants) == 3001
    for rules in (Rules(participant_deny=("eve@denied.example",)), Rules(domain_deny=("denied.example",))):
        assert participants_verdict(rules, outcome.participants) is FilterVerdict.PARTICIPANT
