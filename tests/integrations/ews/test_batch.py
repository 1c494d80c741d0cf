"""Batches with failed items: each item has an outcome, in order, independent of the other items."""

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


def test_one_bad_item_of_a_thousand_is_the_only_failure(world: World) -> None:
    for number in range(1000):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[617].item_id, code="ErrorMimeContentConversionFailed")
    outcomes = fetch(source, listed)
    assert sum(isinstance(outcome, Email) for outcome in outcomes) == 999
    assert outcomes[617] == Unreadable(listed[617], "ErrorMimeContentConversionFailed")


def test_different_errors_in_one_batch_stay_with_their_items(world: World) -> None:
    for number in range(6):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    for place, code in ((0, "ErrorAccessDenied"), (1, "ErrorInternalServerError"), (3, "broken-base64")):
        world.exchange.faults.add("item", item_id=listed[place].item_id, code=code)
    world.mailbox.delete(listed[4].item_id, hard=True)
    assert [type(one) for one in fetch(source, listed)] == [Unreadable, Unreadable, Email, Unreadable, Gone, Email]


def test_an_email_with_a_control_character_in_a_detail_is_read(world: World) -> None:
    world.deliver("a")
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[0].item_id, code="control-character")
    (email,) = fetch(source, listed)
    assert isinstance(email, Email)
    assert email.mime == mail("a")
    assert email.details.conversation_topic == "About a"


def test_an_id_that_exchange_did_not_issue_fails_only_for_its_item(world: World) -> None:
    world.deliver("a")
    source = world.source()
    listed = world.listed(source)
    malformed = replace(listed[0], item_id=ItemId("AAMkNobody=="))
    unknown = replace(listed[0], item_id=ItemId(listed[0].item_id[:-8] + "AAAAAAAA"))
    assert [type(one) for one in fetch(source, [malformed, unknown, *listed])] == [Unreadable, Gone, Email]


@pytest.mark.parametrize("code", ["ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable"])
def test_an_item_error_that_concerns_the_mailbox_is_raised(world: World, code: str) -> None:
    for number in range(3):
        world.deliver(str(number))
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[1].item_id, code=code)
    with pytest.raises(MailboxMoving):
        list(source.fetch(listed))


def test_if_neither_items_nor_inbox_can_be_read_the_mailbox_error_is_raised(world: World) -> None:
    world.deliver("a")
    source = world.source()
    listed = world.listed(source)
    world.exchange.faults.add("item", item_id=listed[0].item_id, code="ErrorAccessDenied")
    world.exchange.faults.add("fault", operation="GetFolder", code="ErrorAccessDenied")
    with pytest.raises(AccessDenied):
        list(source.fetch(listed))


@pytest.mark.parametrize("code", ["ErrorNonExistentMailbox", "ErrorImpersonateUserDenied"])
def test_an_error_of_every_item_is_a_fault_of_the_mailbox_if_the_inbox_cannot_be_opened(
    world: World, code: str
) -> None:
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


# ---- a server that stops in the middle of a batch -------------------------------------------------------------------


def stopping(store: Store, at: int, marker: bytes, *, denied: frozenset[int] = frozenset()) -> object:
    """Return a function that answers like an Exchange that stops in the middle of a batch.

    In a request for several items, the items from index `at` get the response `marker`. Items at the indexes in `denied` get
    ErrorAccessDenied instead. A request for one item gets the usual response.
    """
    original = answers_of(store)

    def answer(request: Request) -> Response:
        response = original(request)
        messages = MESSAGE.findall(response.body)
        if len(messages) < 2:
            return response
        body = response.body
        for place, message in enumerate(messages):
            if place in denied:
                body = body.replace(message, FAILED.replace(b"ErrorBatchProcessingStopped", b"ErrorAccessDenied"))
            elif place >= at:
                body = body.replace(message, marker)
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


@pytest.mark.parametrize("marker", [STOPPED, FAILED], ids=["warning", "error"])
@pytest.mark.parametrize("at", [0, 1, 5])
def test_items_that_the_server_did_not_process_are_requested_again(store: Store, at: int, marker: bytes) -> None:
    with peer(stopping(store, at, marker)) as peer_server:  # type: ignore[arg-type]
        source = ExchangeSource(peer_server.settings, ADDRESS)
        outcomes = fetch(source, listed_of(source, store))
    assert [type(one) for one in outcomes] == [Email] * 6


def test_the_order_is_kept_when_a_server_stops_after_an_unreadable_item(store: Store) -> None:
    with peer(stopping(store, 1, STOPPED, denied=frozenset({0}))) as peer_server:  # type: ignore[arg-type]
        source = ExchangeSource(peer_server.settings, ADDRESS)
        outcomes = fetch(source, listed_of(source, store))
    assert [type(one) for one in outcomes] == [Unreadable] + [Email] * 5


def test_a_server_that_always_stops_causes_no_endless_loop(store: Store) -> None:
    original = answers_of(store)

    def answer(request: Request) -> Response:
        response = original(request)
        return replace(response, body=MESSAGE.sub(STOPPED, response.body))

    with peer(answer) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        outcomes = fetch(source, listed_of(source, store))
    assert [type(one) for one in outcomes] == [Unreadable] * 6


@pytest.mark.parametrize("extra", [-1, 1])
def test_too_few_or_too_many_responses_are_a_failure(store: Store, extra: int) -> None:
    original = answers_of(store)

    def answer(request: Request) -> Response:
        response = original(request)
        messages = MESSAGE.findall(response.body)
        if not messages:
            return response
        kept = messages[:extra] if extra < 0 else [*messages, messages[0]]
        start, end = response.body.index(messages[0]), response.body.rindex(messages[-1]) + len(messages[-1])
        return replace(response, body=response.body[:start] + b"".join(kept) + response.body[end:])

    with peer(answer) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        listed = listed_of(source, store)
        with pytest.raises(ExchangeFailed):
            list(source.fetch(listed))


# ---- responses are matched by the ids in them -----------------------------------------------------------------------


Rearrange = Callable[[list[bytes]], list[bytes]]


def rearranging(store: Store, how: Rearrange, *, alone: bool = False) -> Callable[[Request], Response]:
    """Return a function that answers like Exchange, but rearranges the messages of a response with `how`.

    A response with a single message is unchanged, unless `alone` is True.
    """
    original = answers_of(store)

    def answer(request: Request) -> Response:
        response = original(request)
        messages = MESSAGE.findall(response.body)
        if not messages or (len(messages) == 1 and not alone):
            return response
        start, end = response.body.index(messages[0]), response.body.rindex(messages[-1]) + len(messages[-1])
        return replace(response, body=response.body[:start] + b"".join(how(messages)) + response.body[end:])

    return answer


def fetched_from(
    store: Store, how: Rearrange, deleted: Sequence[int] = (), *, alone: bool = False
) -> tuple[list[Fetched], int]:
    """Fetch all emails, and return the outcomes and the number of requests. `deleted`: indexes of emails to delete before."""
    with peer(rearranging(store, how, alone=alone)) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        listed = listed_of(source, store)
        for place in deleted:
            store[ADDRESS].delete(listed[place].item_id, hard=True)
        before = len(peer_server.requests)
        outcomes = fetch(source, listed)
        return outcomes, len(peer_server.requests) - before


def assert_each_has_its_content(outcomes: Sequence[Fetched], store: Store) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Email):
            assert outcome.mime == store[ADDRESS].item(outcome.change.item_id).mail.content()


def test_responses_in_another_order_are_matched_by_the_ids_in_them(store: Store) -> None:
    outcomes, requests = fetched_from(store, lambda messages: messages[::-1])
    assert [type(one) for one in outcomes] == [Email] * 6
    assert_each_has_its_content(outcomes, store)
    assert requests == 1


def test_errors_among_responses_in_order_belong_to_the_items_at_their_places(store: Store) -> None:
    def how(messages: list[bytes]) -> list[bytes]:
        corrupt = FAILED.replace(b"ErrorBatchProcessingStopped", b"ErrorItemCorrupt")
        return [messages[0], messages[1], messages[2], corrupt, *messages[4:]]

    outcomes, requests = fetched_from(store, how, [1])
    assert [type(one) for one in outcomes] == [Email, Gone, Email, Unreadable, Email, Email]
    assert requests == 1


def test_after_different_errors_in_another_order_each_failed_item_is_requested_separately(store: Store) -> None:
    def how(messages: list[bytes]) -> list[bytes]:
        corrupt = FAILED.replace(b"ErrorBatchProcessingStopped", b"ErrorItemCorrupt")
        return [corrupt, *[one for one in messages[::-1] if one != messages[3]]]

    outcomes, requests = fetched_from(store, how, [1])
    # The request for the deleted email finds that it is gone. The request for the other email returns the email.
    assert [type(one) for one in outcomes] == [Email, Gone, Email, Email, Email, Email]
    assert_each_has_its_content(outcomes, store)
    assert requests == 3


def test_an_item_without_a_response_is_requested_separately(store: Store) -> None:
    outcomes, requests = fetched_from(store, lambda messages: [*messages[:2], *messages[3:]], [4])
    assert [type(one) for one in outcomes] == [Email, Email, Email, Email, Gone, Email]
    assert_each_has_its_content(outcomes, store)
    assert requests == 3


def test_an_item_with_a_success_without_an_email_is_requested_again(store: Store) -> None:
    empty = re.compile(rb"<m:Items>.*</m:Items>", re.S)
    outcomes, requests = fetched_from(store, lambda messages: [empty.sub(b"<m:Items/>", messages[0]), *messages[1:]])
    assert [type(one) for one in outcomes] == [Email] * 6
    assert requests == 2
    with pytest.raises(ExchangeFailed):
        fetched_from(store, lambda messages: [empty.sub(b"<m:Items/>", one) for one in messages], alone=True)


def test_an_email_without_its_id_is_a_failure(store: Store) -> None:
    nameless = re.compile(rb"<t:ItemId [^>]*/>")
    with pytest.raises(ExchangeFailed):
        fetched_from(store, lambda messages: [nameless.sub(b"", one) for one in messages], alone=True)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a batch"])
def test_a_response_about_another_email_is_a_transient_failure(store: Store, alone: bool) -> None:
    other = store.add("other@bank.example").deliver(mail_of(mail("other")))
    number = re.compile(rb'(?<=<t:ItemId Id=")[^"]*')
    requested_store = store
    if alone:
        requested_store = Store([ADDRESS])
        requested_store[ADDRESS].deliver(mail_of(mail("a")))
    with pytest.raises(ExchangeFailed) as caught:
        fetched_from(requested_store, lambda got: [number.sub(other.id.encode(), got[0]), *got[1:]], alone=True)
    assert "another item" in caught.value.detail
