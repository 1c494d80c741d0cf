"""The participants of an email, for filter rules: all addresses of the header, without the limits of the comment."""

from time import process_time

import pytest

from conversion.limits import DEFAULT_LIMITS, Limits
from conversion.transform import Converted, EmailLocation, convert
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from tests.mails import NOON

HEADERS = ("From", "Sender", "To", "Cc", "Bcc", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc")
EVE = "eve@denied.example"


def participants(header, people, limits=DEFAULT_LIMITS):
    mime = f"Message-ID: <a@b>\r\nX-First: 1\r\n{header}: {people}\r\nSubject: x\r\n\r\nText".encode()
    change = Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"))
    outcome = convert(
        Email(change, mime, ItemDetails(received=NOON)), EmailLocation("desk@bank.example", ("Inbox",)), limits
    )
    assert isinstance(outcome, Converted)
    return outcome.participants


def others(count, name=""):
    return ", ".join(f"{name} <p{number}@south.example>" for number in range(count))


@pytest.mark.parametrize("header", HEADERS)
def test_the_last_of_three_thousand_addresses_is_a_participant(header):
    assert len(participants(header, f"{others(2999)}, Eve <{EVE}>")) == 3000


def test_the_last_address_of_a_header_over_a_megabyte_is_a_participant_within_seconds():
    begun = process_time()
    assert EVE in participants("To", f"{others(50_000)},\r\n {EVE}")
    assert process_time() - begun < 20


@pytest.mark.parametrize(
    "limits", [Limits(recipients=1), Limits(header_chars=1), Limits(mime_bytes=30), Limits(address_chars=3)]
)
def test_no_limit_of_the_comment_applies_to_participants(limits):
    assert EVE in participants("Cc", f"{others(20)}, {EVE}", limits)


@pytest.mark.parametrize("name", ['"Person (London)"', "Person (London)", r'"Person \(London"', r"Person (Lon\)don)"])
def test_many_names_with_brackets_do_not_change_the_participants(name):
    assert participants("To", f"{others(300, name)}, {EVE}") == participants("To", f"{EVE}, {others(300)}")


def test_addresses_after_comments_nested_too_deep_are_participants():
    assert EVE in participants("To", f"{'(' * 5000}, Eve <{EVE}>")
    assert EVE in participants("To", rf"{'(' * 5000}{chr(92)}) , {EVE}, {others(5)}")


def test_a_display_name_that_looks_like_an_address_is_not_a_participant():
    assert EVE not in participants("To", f'{others(2500)}, "{EVE}" <ann@north.example>')
