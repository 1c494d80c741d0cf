"""The error that an admin sees for each kind of refusal by Exchange, its sign-in or the network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from integrations import errors
from integrations.ews.codes import kind_of
from integrations.ews.connection import ConnectionSettings
from integrations.ews.source import ExchangeSource
from simulators.exchange import soap
from simulators.exchange.signin import SCHEMES_ON_PREMISES
from simulators.http import Response
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, XML, peer

STATUSES = [
    (301, errors.EndpointWrong),
    (302, errors.EndpointWrong),
    (307, errors.EndpointWrong),
    (400, errors.RequestRejected),
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


# ---- statuses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_each_http_status_has_an_error_class(world: World, status: int, kind: type[errors.IntegrationError]) -> None:
    world.exchange.faults.add("status", status=status, times=1)
    source = world.source()
    error = fault_of(source.check)
    assert type(error) is kind
    assert str(status) in error.detail
    source.check()


def test_a_redirect_is_never_followed(world: World) -> None:
    elsewhere = Response(302, b"", headers=(("Location", world.exchange.url()),))
    with peer(lambda _: elsewhere) as peer_server:
        settings = replace(peer_server.settings, ca_bundle=peer_server.settings.ca_bundle + world.exchange.ca)
        assert isinstance(check(settings), errors.EndpointWrong)
    assert world.wire.seen == []


@pytest.mark.parametrize(
    "page",
    [
        b"<html><body>Sign in</body></html>",
        b'\xef\xbb\xbf\r\n<!DOCTYPE html>\n<HTML lang="en"><p>Sign in',
        b'<?xml version="1.0"?>\n<!-- OWA --><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" ""><html/>',
    ],
)
def test_a_web_page_instead_of_a_response_is_a_wrong_endpoint(page: bytes) -> None:
    with peer(lambda _: Response(200, page, "text/html")) as peer_server:
        error = check(peer_server.settings)
    assert type(error) is errors.EndpointWrong
    assert "HTTP 200 with a web page" in error.detail


def test_a_redirect_to_the_error_page_of_exchange_is_transient() -> None:
    location = ("Location", "/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx")
    with peer(lambda _: Response(302, b"", headers=(location,))) as peer_server:
        assert type(check(peer_server.settings)) is errors.ExchangeFailed


def test_a_wrong_path_is_a_wrong_endpoint(world: World) -> None:
    settings = replace(world.settings(), endpoint=world.exchange.url().replace("/EWS/Exchange.asmx", "/owa/"))
    assert isinstance(check(settings), errors.EndpointWrong)


# ---- busy -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["fault", "nested", "inner"])
@pytest.mark.parametrize("first", [True, False], ids=["hint first", "hint second"])
@pytest.mark.parametrize("operation", ["SyncFolderHierarchy", "SyncFolderItems", "GetItem", "GetFolder"])
def test_the_waiting_time_of_a_busy_server_is_found_at_each_place(
    world: World, form: str, first: bool, operation: str
) -> None:
    world.deliver("a")
    source = world.source()
    world.exchange.faults.add("busy", operation=operation, how=form, hint_first=first, back_off=7500)

    def work() -> None:
        source.check()
        source.folders(None)
        list(source.fetch(world.listed(source)))

    error = fault_of(work)
    assert isinstance(error, errors.ExchangeBusy)
    assert error.retry_after == timedelta(seconds=7.5)
    assert world.operations().count(operation) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["fault", "inner"])
def test_the_waiting_time_of_a_fault_with_a_busy_status_is_used(world: World, status: int, form: str) -> None:
    world.exchange.faults.add("busy", how=form, status=status, hint_first=False, back_off=7500)
    error = fault_of(world.source().check)
    assert type(error) is errors.ExchangeBusy
    assert error.retry_after == timedelta(seconds=7.5)
    assert f"HTTP {status}, ErrorServerBusy" in error.detail


@pytest.mark.parametrize("status", [500, 502, 400])
def test_a_retry_after_header_is_used_with_each_status(status: int) -> None:
    with peer(lambda _: Response(status, b"later", "text/plain", headers=(("Retry-After", "90"),))) as peer_server:
        assert check(peer_server.settings).retry_after == timedelta(seconds=90)


def test_a_retry_after_header_with_a_fault_is_used() -> None:
    body = soap.fault(soap.SoapFault("ErrorInternalServerTransientError", "Later."))
    with peer(lambda _: Response(500, body, XML, headers=(("Retry-After", "90"),))) as peer_server:
        assert check(peer_server.settings).retry_after == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("hint", "wait"),
    [(0, None), (-5000, None), (36_000_000, timedelta(hours=1)), ("soon", None), (10**400, None)],
    ids=["none", "negative", "ten hours", "no number", "endless"],
)
def test_an_unreasonable_waiting_time_is_limited_or_ignored(world: World, hint: object, wait: timedelta | None) -> None:
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
def test_a_retry_after_header_is_limited_to_one_hour_and_an_invalid_one_is_ignored(
    header: str, least: int, most: int
) -> None:
    if header == "in ten minutes":
        header = format_datetime(datetime.now(UTC) + timedelta(minutes=10))
    headers = (("Retry-After", header.encode().decode("latin-1")),)
    with peer(lambda _: Response(503, b"busy", "text/plain", headers=headers)) as peer_server:
        error = check(peer_server.settings)
    assert isinstance(error, errors.ExchangeBusy)
    assert least <= (error.retry_after.total_seconds() if error.retry_after else 0) <= most


# ---- sign-in --------------------------------------------------------------------------------------------------------


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
def test_the_detail_of_a_refused_sign_in_is_the_code_of_the_service(
    world: World, change: dict[str, str], detail: str
) -> None:
    error = fault_of(world.source(replace(world.settings("OAuth, impersonation"), **change)).check)  # type: ignore[arg-type]
    assert isinstance(error, errors.SignInRefused)
    assert error.detail == detail


@pytest.mark.parametrize("way", ["NTLM, impersonation", "OAuth, impersonation"])
def test_a_later_refused_sign_in_is_reported_after_at_most_two_requests(world: World, way: str) -> None:
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


def test_an_unreachable_sign_in_service_is_a_failure_of_the_token_endpoint(world: World) -> None:
    settings = replace(world.settings("OAuth, impersonation"), authority="https://127.0.0.1:9")
    error = fault_of(world.source(settings).check)
    assert isinstance(error, errors.TokenEndpointFailed)
    assert "the port is closed" in str(error)


# ---- permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["NTLM, impersonation", "OAuth, impersonation", "Basic, delegate"])
def test_an_unknown_mailbox_is_reported(world: World, way: str) -> None:
    assert isinstance(check(world.settings(way), "nobody@bank.example"), errors.MailboxNotFound)


def test_an_address_that_no_header_can_contain_is_an_unknown_mailbox(world: World) -> None:
    assert isinstance(check(world.settings(), "\u684c@bank.example"), errors.MailboxNotFound)


def test_a_missing_right_to_impersonate_is_reported(world: World) -> None:
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
        ("ErrorNonPrimarySmtpAddress", errors.NotPrimaryAddress),
        ("ErrorInvalidLicense", errors.LicenceMissing),
        ("ErrorCallerIsInvalidADAccount", errors.CallerUnknown),
        ("ErrorImpersonationRequired", errors.ImpersonationRequired),
        ("ErrorNoDestinationCASDueToVersionMismatch", errors.MailboxOnAnotherServer),
        ("ErrorMultiLegacyMailboxAccess", errors.MailboxOnAnotherServer),
        ("ErrorRecipientNotFound", errors.MailboxNotFound),
        ("ErrorInvalidRequest", errors.RequestRejected),
        ("ErrorSomethingNew", errors.ExchangeFailed),
    ],
)
def test_each_code_of_exchange_has_an_error_class_and_is_not_retried(
    world: World, code: str, kind: type[errors.IntegrationError]
) -> None:
    world.exchange.faults.add("fault", code=code)
    error = fault_of(world.source().check)
    assert type(error) is kind
    assert len(world.operations()) == 1


@pytest.mark.parametrize("code", ["ErrorImpersonationRequired", "ErrorSomethingNew", "ErrorServerBusy"])
@pytest.mark.parametrize("form", ["fault", "message", "inner code", "faultcode alone"])
def test_the_code_is_kept_as_exchange_sent_it(code: str, form: str) -> None:
    fault = soap.fault(soap.SoapFault(code, "About desk@bank.example: Secret plans"))
    if form == "inner code":
        fault = soap.fault(soap.SoapFault("ErrorInternalServerError", "Secret", back_off=9, inner=code))
    if form == "faultcode alone":
        fault = re.sub(rb"<detail>.*</detail>", b"", fault, flags=re.S)
    message = soap.envelope("GetFolder", soap.failure("GetFolder", soap.ItemFault(code, "Secret")), "15.1.2507.39")
    status, body = (200, message) if form == "message" else (500, fault)
    with peer(lambda _: Response(status, body, XML)) as peer_server:
        error = check(peer_server.settings)
    assert code in error.detail
    assert "Secret" not in str(error)
    assert type(error) is kind_of(code)


@pytest.mark.parametrize("code", ["Error in the mailbox of ann@bank.example", "", "ErrorX" * 40])
def test_an_invalid_code_is_not_in_the_error(code: str) -> None:
    body = soap.fault(soap.SoapFault("ErrorSomething", "")).replace(b"ErrorSomething", code.encode())
    with peer(lambda _: Response(500, body, XML)) as peer_server:
        error = check(peer_server.settings)
    assert type(error) is errors.ExchangeFailed
    assert error.detail == "the response does not have the documented format"


@pytest.mark.parametrize("code", ["ErrorFolderNotFound", "ErrorItemNotFound"])
@pytest.mark.parametrize("form", ["fault", "message"])
@pytest.mark.parametrize("operation", ["GetFolder", "SyncFolderHierarchy"])
def test_a_missing_inbox_or_top_folder_is_reported_as_hidden(code: str, form: str, operation: str) -> None:
    message = soap.envelope(operation, soap.failure(operation, soap.ItemFault(code)), "15.1.2507.39")
    status, body = (200, message) if form == "message" else (500, soap.fault(soap.SoapFault(code, code)))
    with peer(lambda _: Response(status, body, XML)) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        error = fault_of(source.check if operation == "GetFolder" else lambda: source.folders(None))
    assert type(error) is errors.InboxHidden
    assert isinstance(error, errors.Refused)
    assert error.scope is errors.Scope.MAILBOX
    assert error.detail == code


# ---- the schemes that a 401 offers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "offers", "kind"),
    [
        ("Basic, delegate", ["Negotiate", "NTLM"], errors.SignInNotOffered),
        ("Basic, delegate", ['Bearer realm="a, NTLM"'], errors.SignInNotOffered),
        ("NTLM, impersonation", ['Basic realm="exchange, say \\"ntlm\\""'], errors.SignInNotOffered),
        ("NTLM, impersonation", ["Negotiate"], errors.OnlyKerberosOffered),
        ("NTLM, impersonation", ["Negotiate", 'Basic realm="x"'], errors.SignInNotOffered),
        ("NTLM, impersonation", ["Kerberos"], errors.OnlyKerberosOffered),
    ],
)
def test_the_error_for_a_401_without_the_configured_scheme_names_the_offered_schemes(
    world: World, way: str, offers: list[str], kind: type[errors.IntegrationError]
) -> None:
    world.exchange.on_premises.offers = offers
    world.exchange.on_premises.negotiate_takes_ntlm = False
    try:
        error = fault_of(world.source(world.settings(way)).check)
    finally:
        world.exchange.on_premises.offers = SCHEMES_ON_PREMISES
        world.exchange.on_premises.negotiate_takes_ntlm = True
    assert type(error) is kind
    assert f"offered: {', '.join(offer.split(' ')[0] for offer in offers)}" in error.detail
    assert len(world.wire.seen) <= 2


def test_a_token_for_a_server_that_accepts_only_passwords_is_reported(world: World) -> None:
    world.exchange.faults.add("unauthorized", operation="GetFolder", offers=["NTLM", 'Basic realm="x"'])
    error = fault_of(world.source(world.settings("OAuth, impersonation")).check)
    assert type(error) is errors.SignInNotOffered
    assert "HTTP 401 to Bearer, offered: NTLM, Basic" in error.detail
    assert world.operations() == ["GetFolder"]


def test_the_error_for_a_401_to_ntlm_names_causes_other_than_the_password(world: World) -> None:
    error = fault_of(world.source(replace(world.settings(), password="wrong")).check)
    assert type(error) is errors.SignInRefused
    assert "Extended Protection" in error.detail
