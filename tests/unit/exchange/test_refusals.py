"""What an admin is told of each way in which Exchange, its sign-in or the way to it can refuse us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from integrations import errors
from integrations.exchange.connection import ConnectionSettings
from integrations.exchange.source import ExchangeSource
from simulators.http import Response
from tests.unit.exchange.conftest import World
from tests.unit.exchange.peers import ADDRESS, peer

STATUSES = [
    (301, errors.EndpointWrong),
    (302, errors.EndpointWrong),
    (307, errors.EndpointWrong),
    (400, errors.EndpointWrong),
    (403, errors.EwsDisabled),
    (404, errors.EndpointWrong),
    (405, errors.EndpointWrong),
    (429, errors.ExchangeBusy),
    (456, errors.SignInRefused),
    (500, errors.ExchangeFailed),
    (502, errors.ExchangeFailed),
    (503, errors.ExchangeBusy),
    (504, errors.ExchangeFailed),
]


def fault_of(work: Callable[[], object]) -> errors.IntegrationError:
    with pytest.raises(errors.IntegrationError) as caught:
        work()
    return caught.value


def check(settings: ConnectionSettings, address: str = ADDRESS) -> errors.IntegrationError:
    return fault_of(lambda: ExchangeSource(settings, address).check())


# ---- statuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_status_says_what_it_means(world: World, status: int, kind: type[errors.IntegrationError]) -> None:
    world.exchange.faults.add("status", status=status, times=1)
    source = world.source()
    error = fault_of(source.check)
    assert type(error) is kind
    assert str(status) in error.detail
    source.check()


def test_a_redirect_is_never_followed(world: World) -> None:
    elsewhere = Response(302, b"", headers=(("Location", world.exchange.url()),))
    with peer(lambda _: elsewhere) as made:
        settings = replace(made.settings, ca_bundle=made.settings.ca_bundle + world.exchange.ca)
        assert isinstance(check(settings), errors.EndpointWrong)
    assert world.wire.seen == []


def test_a_web_page_where_exchange_should_be_is_a_failure() -> None:
    with peer(lambda _: Response(200, b"<html><body>Sign in</body></html>", "text/html")) as made:
        assert isinstance(check(made.settings), errors.ExchangeFailed)


def test_a_wrong_path_is_a_wrong_endpoint(world: World) -> None:
    settings = replace(world.settings(), endpoint=world.exchange.url().replace("/EWS/Exchange.asmx", "/owa/"))
    assert isinstance(check(settings), errors.EndpointWrong)


# ---- busy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["fault", "nested"])
@pytest.mark.parametrize("first", [True, False], ids=["hint first", "hint second"])
@pytest.mark.parametrize("operation", ["SyncFolderHierarchy", "SyncFolderItems", "GetItem", "GetFolder"])
def test_a_busy_answer_is_obeyed_wherever_its_hint_stands(world: World, how: str, first: bool, operation: str) -> None:
    world.deliver("a")
    source = world.source()
    world.exchange.faults.add("busy", operation=operation, how=how, hint_first=first, back_off=7500)

    def work() -> None:
        source.check()
        source.folders(None)
        list(source.fetch(world.listed(source)))

    error = fault_of(work)
    assert isinstance(error, errors.ExchangeBusy)
    assert error.retry_after == timedelta(seconds=7.5)
    assert world.operations().count(operation) == 1


@pytest.mark.parametrize(
    ("hint", "wait"),
    [(0, None), (-5000, None), (36_000_000, timedelta(hours=1)), ("soon", None), (10**400, None)],
    ids=["none", "negative", "ten hours", "no number", "endless"],
)
def test_a_hint_beyond_reason_is_bounded_or_dropped(world: World, hint: object, wait: timedelta | None) -> None:
    world.exchange.faults.add("busy", back_off=hint, times=1)
    error = fault_of(world.source().check)
    assert isinstance(error, errors.ExchangeBusy)
    assert error.retry_after == wait


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120, 120),
        ("in ten minutes", 500, 600),
        ("86400", 3600, 3600),
        ("-1", 0, 0),
        ("٣", 0, 0),
        ("Thu, 99 Foo", 0, 0),
        ("\xb2", 0, 0),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", 0, 0),
    ],
)
def test_a_retry_after_header_is_obeyed_within_reason(header: str, least: int, most: int) -> None:
    if header == "in ten minutes":
        header = format_datetime(datetime.now(UTC) + timedelta(minutes=10))
    headers = (("Retry-After", header.encode().decode("latin-1")),)
    with peer(lambda _: Response(503, b"busy", "text/plain", headers=headers)) as made:
        error = check(made.settings)
    assert isinstance(error, errors.ExchangeBusy)
    assert least <= (error.retry_after.total_seconds() if error.retry_after else 0) <= most


# ---- sign-in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["NTLM, impersonation", "Basic, delegate"])
def test_a_wrong_password_is_tried_once(world: World, way: str) -> None:
    settings = replace(world.settings(way), password="wrong")
    error = fault_of(world.source(settings).check)
    assert isinstance(error, errors.SignInRefused)
    tries = [request for request, _ in world.wire.seen if len(request.headers.get("Authorization", "")) > 100]
    assert len(tries) <= 1
    assert len(world.wire.seen) <= 3


def test_a_refused_secret_is_tried_once(world: World) -> None:
    settings = replace(world.settings("OAuth, impersonation"), client_secret="wrong")
    error = fault_of(world.source(settings).check)
    assert isinstance(error, errors.SignInRefused)
    assert error.detail == "invalid_client, AADSTS7000215"
    assert world.wire.labels() == ["openid-configuration", "token"]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"tenant_id": "elsewhere"}, "invalid_tenant, AADSTS90002"),
        ({"client_id": "stranger"}, "unauthorized_client, AADSTS700016"),
    ],
)
def test_what_the_sign_in_service_says_reaches_the_admin_as_its_number(
    world: World, change: dict[str, str], detail: str
) -> None:
    error = fault_of(world.source(replace(world.settings("OAuth, impersonation"), **change)).check)  # type: ignore[arg-type]
    assert isinstance(error, errors.SignInRefused)
    assert error.detail == detail


@pytest.mark.parametrize("way", ["NTLM, impersonation", "OAuth, impersonation"])
def test_a_refusal_in_the_middle_of_work_is_one_too_and_asked_no_more_than_twice(world: World, way: str) -> None:
    source = world.source(world.settings(way))
    source.check()
    world.forget()
    world.exchange.faults.add("unauthorized", operation="GetFolder")
    assert isinstance(fault_of(source.check), errors.SignInRefused)
    assert world.operations() == ["GetFolder"] * len(world.operations())
    assert len(world.operations()) <= 2
    world.exchange.faults.clear()
    source.check()


@pytest.mark.parametrize("status", [500, 503, 429, 502])
def test_a_sign_in_service_that_fails_is_no_refusal(world: World, status: int) -> None:
    world.exchange.faults.add("status", operation="token", status=status, times=1)
    source = world.source(world.settings("OAuth, impersonation"))
    assert isinstance(fault_of(source.check), errors.TokenEndpointFailed)
    source.check()


def test_a_sign_in_service_that_cannot_be_reached_is_told_apart_from_exchange(world: World) -> None:
    settings = replace(world.settings("OAuth, impersonation"), authority="https://127.0.0.1:9")
    error = fault_of(world.source(settings).check)
    assert isinstance(error, errors.TokenEndpointFailed)
    assert "the port is closed" in str(error)


# ---- rights -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["NTLM, impersonation", "OAuth, impersonation", "Basic, delegate"])
def test_an_unknown_mailbox_is_named_as_that(world: World, way: str) -> None:
    assert isinstance(check(world.settings(way), "nobody@bank.example"), errors.MailboxNotFound)


def test_an_address_that_no_header_can_hold_is_an_unknown_mailbox_too(world: World) -> None:
    assert isinstance(check(world.settings(), "\u684c@bank.example"), errors.MailboxNotFound)


def test_an_account_without_the_right_to_impersonate_is_told_so(world: World) -> None:
    settings = replace(world.settings(), key="reader", username="BANK\\reader")
    assert isinstance(check(settings, world.mailbox.address), errors.ImpersonationDenied)


def test_a_delegate_without_rights_is_denied(world: World) -> None:
    address = world.exchange.store.add("private@bank.example").address
    assert isinstance(check(world.settings("Basic, delegate"), address), errors.AccessDenied)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ErrorMailboxMoveInProgress", errors.MailboxMoving),
        ("ErrorMailboxStoreUnavailable", errors.MailboxMoving),
        ("ErrorTooManyObjectsOpened", errors.ExchangeBusy),
        ("ErrorExceededConnectionCount", errors.ExchangeBusy),
        ("ErrorTimeoutExpired", errors.ExchangeTimedOut),
        ("ErrorInternalServerError", errors.ExchangeFailed),
        ("ErrorInternalServerTransientError", errors.ExchangeFailed),
        ("ErrorImpersonationDenied", errors.ImpersonationDenied),
        ("ErrorPasswordExpired", errors.SignInRefused),
        ("ErrorInvalidServerVersion", errors.VersionRefused),
        ("ErrorSomethingNew", errors.ExchangeFailed),
    ],
)
def test_a_code_of_exchange_says_what_it_means_and_is_asked_once(
    world: World, code: str, kind: type[errors.IntegrationError]
) -> None:
    world.exchange.faults.add("fault", code=code)
    error = fault_of(world.source().check)
    assert type(error) is kind
    assert len(world.operations()) == 1
