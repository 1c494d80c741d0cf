"""Batches in which something is wrong: an outcome for each item, in order, whatever its neighbours are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from integrations.errors import AccessDenied, ExchangeFailed, ImpersonationDenied, MailboxMoving, MailboxNotFound
from integrations.ews.source import ExchangeSource
from integrations.messages import Change, Email, Fetched, Gone, ItemId, Unreadable
from simulators.exchange import Store, mail_of
from simulators.http import Request, Response
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, answers_of, peer
from tests.mails import mail

STOPPED = (
    b'<m:GetItemResponseMessage ResponseClass="Warning"><m:MessageText>Stopped.</m:MessageText>'
    b"<m:ResponseCode>ErrorBatchProcessingStopped</m:ResponseCode><m:Items/></m:GetItemResponseMessage>"
)
FAILED = STOPPED.replace(b"Warning", b"Error")
MESSAGE = re.compile(rb"<m:GetItemResponseMessage .*?</m:GetItemResponseMessage>", re.S)


def fetch(source: ExchangeSource, listed: Sequence[Change]) -> list[Fetched]:
    outcomes = list(source.fetch(listed))
    assert [outcome.change.item_id for outcome in outcomes] == [change.item_id for change in listed]
    return outcomes


def test_one_bad_item_of_a_thousand_costs_only_itself(world: World) -> None:
    for number in range(1000):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[617].item_id, code="ErrorMimeContentConversionFailed")
    outcomes = fetch(source, listed)
    assert sum(isinstance(outcome, Email) for outcome in outcomes) == 999
    assert outcomes[617] == Unreadable(listed[617], "ErrorMimeContentConversionFailed")


def test_all_sorts_of_trouble_in_one_batch_keep_their_places(world: World) -> None:
    for number in range(6):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    for place, code in ((0, "ErrorAccessDenied"), (1, "ErrorInternalServerError"), (3, "broken-base64")):
        world.exchange.faults.add("item", item_id=listed[place].item_id, code=code)
    world.mailbox.delete(listed[4].item_id, hard=True)
    assert [type(one) for one in fetch(source, listed)] == [Unreadable, Unreadable, Email, Unreadable, Gone, Email]


def test_a_control_character_in_a_detail_does_not_cost_the_email(world: World) -> None:
    world.deliver("a")
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[0].item_id, code="control-character")
    (email,) = fetch(source, listed)
    assert isinstance(email, Email)
    assert email.mime == mail("a")
    assert email.details.conversation_topic == "About a"


def test_an_id_that_exchange_never_gave_is_the_fault_of_that_item(world: World) -> None:
    world.deliver("a")
    source = world.source()
    listed = world.listed(source)
    malformed = replace(listed[0], item_id=ItemId("AAMkNobody=="))
    nobody = replace(listed[0], item_id=ItemId(listed[0].item_id[:-8] + "AAAAAAAA"))
    assert [type(one) for one in fetch(source, [malformed, nobody, *listed])] == [Unreadable, Gone, Email]


@pytest.mark.parametrize("code", ["ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable"])
def test_a_fault_of_the_mailbox_that_is_told_by_an_item_raises(world: World, code: str) -> None:
    for number in range(3):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[1].item_id, code=code)
    with pytest.raises(MailboxMoving):
        list(source.fetch(listed))


def test_when_nothing_may_be_read_and_the_mailbox_neither_the_mailbox_is_to_blame(world: World) -> None:
    world.deliver("a")
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[0].item_id, code="ErrorAccessDenied")
    world.exchange.faults.add("fault", operation="GetFolder", code="ErrorAccessDenied")
    with pytest.raises(AccessDenied):
        list(source.fetch(listed))


@pytest.mark.parametrize("code", ["ErrorNonExistentMailbox", "ErrorImpersonateUserDenied"])
def test_a_mailbox_that_is_gone_since_the_listing_is_no_fault_of_its_items(world: World, code: str) -> None:
    for number in range(3):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    for change in listed:
        world.exchange.faults.add("item", item_id=change.item_id, code=code)
    assert [type(one) for one in fetch(source, listed)] == [Unreadable] * 3
    world.exchange.faults.add("fault", operation="GetFolder", code=code)
    with pytest.raises(MailboxNotFound if code == "ErrorNonExistentMailbox" else ImpersonationDenied):
        list(source.fetch(listed))


# ---- a server that stops half-way ---------------------------------------------------------------------------------


def stopping(store: Store, at: int, notice: bytes, *, denied: frozenset[int] = frozenset()) -> object:
    """An Exchange that answers only the first `at` items of each request for more than one."""
    usual = answers_of(store)

    def answer(request: Request) -> Response:
        response = usual(request)
        messages = MESSAGE.findall(response.body)
        if len(messages) < 2:
            return response
        body = response.body
        for place, message in enumerate(messages):
            if place in denied:
                body = body.replace(message, FAILED.replace(b"ErrorBatchProcessingStopped", b"ErrorAccessDenied"))
            elif place >= at:
                body = body.replace(message, notice)
        return replace(response, body=body)

    return answer


@pytest.fixture
def store() -> Store:
    store = Store([ADDRESS])
    for number in range(6):
        store[ADDRESS].deliver(mail_of(mail(str(number))))
    return store


def listed_of(source: ExchangeSource, store: Store) -> list[Change]:
    inbox = store[ADDRESS].distinguished("inbox").id
    return [change for page in source.changes(inbox, None) for change in page.changes]  # type: ignore[arg-type]


@pytest.mark.parametrize("notice", [STOPPED, FAILED], ids=["warning", "error"])
@pytest.mark.parametrize("at", [0, 1, 5])
def test_what_a_server_stopped_before_is_asked_for_again(store: Store, at: int, notice: bytes) -> None:
    with peer(stopping(store, at, notice)) as made:  # type: ignore[arg-type]
        source = ExchangeSource(made.settings, ADDRESS)
        outcomes = fetch(source, listed_of(source, store))
    assert [type(one) for one in outcomes] == [Email] * 6


def test_the_order_holds_when_a_server_stops_behind_an_item_that_may_not_be_read(store: Store) -> None:
    with peer(stopping(store, 1, STOPPED, denied=frozenset({0}))) as made:  # type: ignore[arg-type]
        source = ExchangeSource(made.settings, ADDRESS)
        outcomes = fetch(source, listed_of(source, store))
    assert [type(one) for one in outcomes] == [Unreadable] + [Email] * 5


def test_a_server_that_always_stops_is_no_endless_loop(store: Store) -> None:
    usual = answers_of(store)

    def answer(request: Request) -> Response:
        response = usual(request)
        return replace(response, body=MESSAGE.sub(STOPPED, response.body))

    with peer(answer) as made:
        source = ExchangeSource(made.settings, ADDRESS)
        outcomes = fetch(source, listed_of(source, store))
    assert [type(one) for one in outcomes] == [Unreadable] * 6


@pytest.mark.parametrize("extra", [-1, 1])
def test_another_number_of_answers_than_of_questions_is_a_failure(store: Store, extra: int) -> None:
    usual = answers_of(store)

    def answer(request: Request) -> Response:
        response = usual(request)
        messages = MESSAGE.findall(response.body)
        if not messages:
            return response
        kept = messages[:extra] if extra < 0 else [*messages, messages[0]]
        start, end = response.body.index(messages[0]), response.body.rindex(messages[-1]) + len(messages[-1])
        return replace(response, body=response.body[:start] + b"".join(kept) + response.body[end:])

    with peer(answer) as made:
        source = ExchangeSource(made.settings, ADDRESS)
        listed = listed_of(source, store)
        with pytest.raises(ExchangeFailed):
            list(source.fetch(listed))


# ---- responses are matched by the id in them ----------------------------------------------------------------------


Rearrange = Callable[[list[bytes]], list[bytes]]


def rearranging(store: Store, how: Rearrange, *, alone: bool = False) -> Callable[[Request], Response]:
    """An Exchange whose responses to a request for several items (and to one for a single item) come so."""
    usual = answers_of(store)

    def answer(request: Request) -> Response:
        response = usual(request)
        messages = MESSAGE.findall(response.body)
        if not messages or (len(messages) == 1 and not alone):
            return response
        start, end = response.body.index(messages[0]), response.body.rindex(messages[-1]) + len(messages[-1])
        return replace(response, body=response.body[:start] + b"".join(how(messages)) + response.body[end:])

    return answer


def fetched_from(
    store: Store, how: Rearrange, spoilt: Sequence[int] = (), *, alone: bool = False
) -> tuple[list[Fetched], int]:
    """What is fetched of all emails, and in how many requests. `spoilt`: places of emails that are deleted meanwhile."""
    with peer(rearranging(store, how, alone=alone)) as made:
        source = ExchangeSource(made.settings, ADDRESS)
        listed = listed_of(source, store)
        for place in spoilt:
            store[ADDRESS].delete(listed[place].item_id, hard=True)
        before = len(made.requests)
        outcomes = fetch(source, listed)
        return outcomes, len(made.requests) - before


def assert_each_is_its_own(outcomes: Sequence[Fetched], store: Store) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Email):
            assert outcome.mime == store[ADDRESS].item(outcome.change.item_id).mail.content()


def test_responses_in_another_order_are_matched_by_their_ids(store: Store) -> None:
    outcomes, requests = fetched_from(store, lambda messages: messages[::-1])
    assert [type(one) for one in outcomes] == [Email] * 6
    assert_each_is_its_own(outcomes, store)
    assert requests == 1


def test_errors_among_responses_in_order_keep_their_places(store: Store) -> None:
    def how(messages: list[bytes]) -> list[bytes]:
        corrupt = FAILED.replace(b"ErrorBatchProcessingStopped", b"ErrorItemCorrupt")
        return [messages[0], messages[1], messages[2], corrupt, *messages[4:]]

    outcomes, requests = fetched_from(store, how, [1])
    assert [type(one) for one in outcomes] == [Email, Gone, Email, Unreadable, Email, Email]
    assert requests == 1


def test_different_errors_among_responses_in_another_order_are_asked_for_singly(store: Store) -> None:
    def how(messages: list[bytes]) -> list[bytes]:
        corrupt = FAILED.replace(b"ErrorBatchProcessingStopped", b"ErrorItemCorrupt")
        return [corrupt, *[one for one in messages[::-1] if one != messages[3]]]

    outcomes, requests = fetched_from(store, how, [1])
    # The deleted one is gone, and the one that the batch called corrupt is fetched by itself.
    assert [type(one) for one in outcomes] == [Email, Gone, Email, Email, Email, Email]
    assert_each_is_its_own(outcomes, store)
    assert requests == 3


def test_a_response_that_is_missing_is_asked_for_singly(store: Store) -> None:
    outcomes, requests = fetched_from(store, lambda messages: [*messages[:2], *messages[3:]], [4])
    assert [type(one) for one in outcomes] == [Email, Email, Email, Email, Gone, Email]
    assert_each_is_its_own(outcomes, store)
    assert requests == 3


def test_a_success_without_the_email_does_not_count_as_passed(store: Store) -> None:
    empty = re.compile(rb"<m:Items>.*</m:Items>", re.S)
    outcomes, requests = fetched_from(store, lambda messages: [empty.sub(b"<m:Items/>", messages[0]), *messages[1:]])
    assert [type(one) for one in outcomes] == [Email] * 6
    assert requests == 2
    with pytest.raises(ExchangeFailed):
        fetched_from(store, lambda messages: [empty.sub(b"<m:Items/>", one) for one in messages], alone=True)


def test_an_email_without_its_id_does_not_count_as_passed(store: Store) -> None:
    nameless = re.compile(rb"<t:ItemId [^>]*/>")
    with pytest.raises(ExchangeFailed):
        fetched_from(store, lambda messages: [nameless.sub(b"", one) for one in messages], alone=True)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a batch"])
def test_a_response_about_another_email_is_a_failure_that_may_pass(store: Store, alone: bool) -> None:
    stranger = store.add("other@bank.example").deliver(mail_of(mail("stranger")))
    number = re.compile(rb'(?<=<t:ItemId Id=")[^"]*')
    asked = store
    if alone:
        asked = Store([ADDRESS])
        asked[ADDRESS].deliver(mail_of(mail("a")))
    with pytest.raises(ExchangeFailed) as caught:
        fetched_from(asked, lambda got: [number.sub(stranger.id.encode(), got[0]), *got[1:]], alone=True)
    assert "another item" in caught.value.detail
