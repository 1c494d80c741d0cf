"""The behaviour that `integrations.ports.Source` requires for fetching emails."""

from __future__ import annotations

import pytest

from integrations.messages import Change, Email, Fetched, Gone, Unreadable
from integrations.ports import Source
from tests.contract.source_reading import (
    fill,
    inbox,
    lines,
    only,
    start_of,
    tree,
)
from tests.contract.source_rigs import Rig
from tests.mails import mail

CODES = (
    "ErrorMimeContentConversionFailed", "ErrorContentConversionFailed", "ErrorCorruptData", "ErrorItemCorrupt",
    "ErrorMessageSizeExceeded", "ErrorInvalidIdMalformed", "ErrorAccessDenied", "ErrorInternalServerError",
    "broken-base64", "unknown-element",
)  # fmt: skip


def fetched(source: Source, changes: list[Change]) -> list[Fetched]:
    return list(source.fetch(changes))


def test_emails_are_complete_and_in_the_requested_order(rig: Rig) -> None:
    mimes = {rig.deliver(mime): mime for mime in (mail(str(n), body=f"Grüße {n} ✓\r\n") for n in range(12))}
    with rig.source() as source:
        listed = lines(source, inbox(source))
        requested = listed[5:] + listed[:5]
        emails = fetched(source, requested)
    assert [email.change for email in emails] == requested
    expected = [rig.as_returned(mimes[one.item_id]) for one in requested]
    assert [email.mime for email in emails if isinstance(email, Email)] == expected


def test_details_agree_with_the_listing(rig: Rig) -> None:
    rig.deliver(mail("a"), item_class="IPM.Note.SMIME")
    with rig.source() as source:
        change = only(lines(source, inbox(source)))
        (email,) = source.fetch([change])
    assert isinstance(email, Email)
    assert (email.details.received, email.details.size) == (change.received, change.size)
    assert email.details.item_class == "IPM.Note.SMIME"


def test_an_email_edited_after_the_listing_is_fetched_in_its_current_version(rig: Rig) -> None:
    item_id = rig.deliver(mail("a"))
    with rig.source() as source:
        folder = inbox(source)
        change, cursor = only(lines(source, folder)), start_of(source, folder)
        mime = mail("a", body="Other words.")
        rig.edit(item_id, mime)
        (email,) = source.fetch([change])
        later = only(lines(source, folder, cursor))
    assert isinstance(email, Email)
    assert email.mime == rig.as_returned(mime)
    assert email.change.change_key in (change.change_key, later.change_key)
    assert later.change_key not in ("", change.change_key)


def test_an_email_moved_or_deleted_after_the_listing_is_gone_and_the_others_are_fetched(rig: Rig) -> None:
    items = fill(rig, 5)
    with rig.source() as source:
        listed = lines(source, inbox(source))
        moved = rig.move(items[1], "Deleted Items")
        rig.delete(items[4])
        outcomes = fetched(source, listed)
        listed_there = only(lines(source, tree(source)["Deleted Items"].id))
    assert [one.change.item_id for one in outcomes] == items[::-1]
    kinds = [type(one) for one in outcomes]
    assert kinds[:3] + kinds[4:] == [Gone, Email, Email, Email]
    # If a moved item keeps its id, the fetch may return the email, which is also listed in its new folder.
    assert kinds[3] is Gone or (kinds[3] is Email and moved == items[1])
    assert listed_there.item_id == moved


def test_a_new_source_does_not_return_emails_that_were_moved_or_deleted(rig: Rig) -> None:
    items = fill(rig, 3)
    with rig.source() as source:
        listed = lines(source, inbox(source))
    rig.move(items[0], "Deleted Items")
    rig.delete(items[1])
    with rig.source() as source:
        outcomes = fetched(source, listed)
    assert [type(one) for one in outcomes] == [Email, Gone, Gone]


@pytest.mark.parametrize(
    ("code", "place"), [*((code, 2) for code in CODES), ("ErrorAccessDenied", 0), ("ErrorInternalServerError", 4)]
)
def test_an_unreadable_item_has_its_own_outcome_and_the_others_are_fetched(rig: Rig, code: str, place: int) -> None:
    items = fill(rig, 5)[::-1]
    rig.make_unreadable(items[place], code)
    with rig.source() as source:
        outcomes = fetched(source, lines(source, inbox(source)))
    assert [one.change.item_id for one in outcomes] == items
    assert [type(one) for one in outcomes] == [Unreadable if n == place else Email for n in range(5)]
    outcome = outcomes[place]
    assert isinstance(outcome, Unreadable)
    assert outcome.reason


@pytest.mark.parametrize("code", CODES)
def test_if_all_requested_items_are_unreadable_no_outcome_is_an_email(rig: Rig, code: str) -> None:
    for item_id in fill(rig, 2):
        rig.make_unreadable(item_id, code)
    with rig.source() as source:
        outcomes = fetched(source, lines(source, inbox(source)))
    assert [type(one) for one in outcomes] == [Unreadable, Unreadable]


def test_an_email_of_many_megabytes_is_fetched_completely(rig: Rig) -> None:
    mime = mail("big") + b"".join(b"%07d\r\n" % number for number in range(900_000))
    rig.deliver(mime)
    with rig.source() as source:
        (email,) = source.fetch(lines(source, inbox(source)))
    assert isinstance(email, Email)
    assert email.mime == rig.as_returned(mime)
