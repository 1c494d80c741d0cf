"""The error that an admin sees for each kind of refusal by Graph, or by a server that answers in its place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.graph.source import GraphSource
from integrations.messages import ChangeKind, Email
from simulators.graph import Limits
from simulators.http import Response
from tests.integrations.graph.conftest import World, fault_of, peer

ADDRESS = "desk@bank.example"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ApplicationThrottled", errors.ExchangeBusy),
        ("ErrorServerBusy", errors.ExchangeBusy),
        ("TooManyRequests", errors.ExchangeBusy),
        ("ErrorMailboxMoveInProgress", errors.MailboxMoving),
        ("ErrorMailboxStoreUnavailable", errors.MailboxMoving),
        ("ErrorInvalidUser", errors.MailboxNotFound),
        ("MailboxNotEnabledForRESTAPI", errors.MailboxNotInCloud),
        ("ErrorAccessDenied", errors.MailboxOutOfScope),
        ("ErrorNonPrimarySmtpAddress", errors.NotPrimaryAddress),
        ("ErrorInvalidLicense", errors.LicenceMissing),
        ("BadRequest", errors.RequestRejected),
        ("ErrorItemNotFound", errors.InboxHidden),
        ("ErrorInternalServerError", errors.ExchangeFailed),
        ("UnknownError", errors.ExchangeTimedOut),
        ("SomethingNew", errors.ExchangeFailed),
    ],
)
def test_each_code_of_graph_has_an_error_class_and_no_retry(
    world: World, code: str, kind: type[errors.IntegrationError]
) -> None:
    world.graph.faults.add("error", code=code, operation="folder", message="About desk@bank.example: Secret plans")
    error = fault_of(world.source().check)
    assert type(error) is kind
    assert code in error.detail
    assert "Secret" not in str(error)
    assert world.operations() == ["folder"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RequestRejected),
        (403, errors.GraphEndpointWrong),
        (404, errors.GraphEndpointWrong),
        (405, errors.GraphEndpointWrong),
        (302, errors.GraphEndpointWrong),
        (407, errors.SettingsWrong),
        (408, errors.ExchangeTimedOut),
        (429, errors.ExchangeBusy),
        (500, errors.ExchangeFailed),
        (502, errors.ExchangeFailed),
        (503, errors.ExchangeBusy),
        (504, errors.ExchangeTimedOut),
    ],
)
def test_a_gateway_error_is_classified_by_its_status(
    world: World, status: int, kind: type[errors.IntegrationError]
) -> None:
    world.graph.faults.add("status", operation="folder", status=status, times=1)
    source = world.source()
    error = fault_of(source.check)
    assert type(error) is kind
    source.check()


@pytest.mark.parametrize("code", ["ErrorItemNotFound", "ErrorFolderNotFound"])
def test_a_missing_inbox_or_folder_tree_is_a_missing_permission(world: World, code: str) -> None:
    source = world.source()
    source.folders(None)
    for operation, work in (("folder", source.check), ("folders-delta", lambda: source.folders(None))):
        world.graph.faults.add("error", operation=operation, code=code, status=404, times=1)
        error = fault_of(work)
        assert type(error) is errors.InboxHidden
        assert isinstance(error, errors.Refused)
        assert code in error.detail


@pytest.mark.parametrize("status", [400, 404, 410])
@pytest.mark.parametrize("code", ["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"])
def test_a_mailbox_that_left_the_cloud_is_not_listed_again(world: World, code: str, status: int) -> None:
    world.deliver("a")
    source = world.source()
    tree, (page,) = source.folders(None), world.pages(source)
    world.graph.faults.add("error", code=code, status=status)
    for work in (
        lambda: source.folders(tree.cursor),
        lambda: list(source.changes(page.changes[0].folder_id, page.cursor)),
    ):
        error = fault_of(work)
        assert type(error) is errors.MailboxNotInCloud
        assert isinstance(error, errors.Refused)


def test_a_400_of_a_gateway_does_not_invalidate_the_cursor(world: World) -> None:
    world.deliver("a")
    source = world.source()
    tree, (page,) = source.folders(None), world.pages(source)
    folder = page.changes[0].folder_id
    for work in (lambda: source.folders(tree.cursor), lambda: list(source.changes(folder, page.cursor))):
        world.graph.faults.add("status", status=400, times=1)
        assert type(fault_of(work)) is errors.RequestRejected
        world.graph.faults.add("error", code="BadRequest", status=400, times=1)
        assert type(fault_of(work)) is errors.CursorRefused


def test_a_sign_in_page_is_a_wrong_endpoint(world: World) -> None:
    world.graph.faults.add("status", status=200, body="<!DOCTYPE html><html>Sign in</html>", operation="folder")
    error = fault_of(world.source().check)
    assert type(error) is errors.GraphEndpointWrong
    assert "HTTP 200 with a web page" in error.detail


def test_the_error_for_a_401_contains_the_code_of_graph(world: World) -> None:
    world.graph.faults.add("unauthorized", operation="folder")
    error = fault_of(world.source().check)
    assert type(error) is errors.SignInRefused
    assert error.detail == "HTTP 401, InvalidAuthenticationToken"


def test_an_answer_about_another_email_is_a_transient_failure(world: World) -> None:
    world.deliver("a", "b")
    source = world.source()
    first, second = world.listed(source)
    row = {"id": second.item_id, "parentFolderId": first.folder_id, "changeKey": "x"}
    world.graph.faults.add("status", operation="message", status=200, body=json.dumps(row), times=1)
    error = fault_of(lambda: list(source.fetch([replace(first, change_key="newer")])))
    assert type(error) is errors.ExchangeFailed
    assert "another item" in error.detail


@pytest.mark.parametrize(
    ("given", "wait"),
    [(7, timedelta(seconds=7)), (None, None), ("nonsense", None), (86_400, timedelta(hours=1))],
)
def test_throttling_is_recognised_with_and_without_a_waiting_time(
    world: World, given: object, wait: timedelta | None
) -> None:
    world.graph.faults.add("throttled", operation="messages-delta", retry_after=given)
    source = world.source()
    folder = world.inbox(source)
    error = fault_of(lambda: list(source.changes(folder, None)))
    assert isinstance(error, errors.ExchangeBusy)
    assert error.retry_after == wait


def test_a_mailbox_outside_the_scope_does_not_stop_the_connection(world: World) -> None:
    source = world.source(client_id="narrow")
    error = fault_of(source.check)
    assert isinstance(error, errors.MailboxOutOfScope)
    assert error.scope is errors.Scope.MAILBOX
    world.graph.faults.add("error", operation="folder", code="Authorization_RequestDenied", status=403)
    error = fault_of(source.check)
    assert isinstance(error, errors.PermissionMissing)
    assert error.scope is errors.Scope.CONNECTION


def test_an_app_that_may_read_only_metadata_causes_no_dead_letters(world: World) -> None:
    world.deliver("a", "b")
    source = world.source(client_id="basic")
    source.check()
    changes = world.listed(source)
    assert isinstance(fault_of(lambda: list(source.fetch(changes))), errors.MailboxOutOfScope)


@pytest.mark.parametrize("address", ["", "nobody", "a@b/../../me", "a@b?x", "a@b#c", "a@b\r\nX: y"])
def test_an_invalid_address_is_never_part_of_a_url(world: World, address: str) -> None:
    assert isinstance(fault_of(GraphSource(world.settings, address).check), errors.MailboxNotFound)
    assert world.wire == []


# ---- invalid answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"Sign in", b"[]", b"null", b'{"value": 5}', b'{"value": [5]}', b'{"value": [{}]}',
        b'{"value": [{"id": 7}]}', b"[" * 100_000, b'{"value": [' + b'{"a":' * 50_000, b"\xff\xfe", b'{"value": []}',
        b'{"value": [], "@odata.deltaLink": 5}', b'{"value": null, "@odata.deltaLink": "x"}',
    ],
)  # fmt: skip
def test_an_invalid_answer_is_a_transient_failure(body: bytes) -> None:
    with peer(lambda _: Response(200, body, "application/json")) as settings:
        source = GraphSource(settings, ADDRESS)
        for work in (lambda: source.folders(None), lambda: list(source.changes("AQMk", None))):  # type: ignore[arg-type]
            error = fault_of(work)
            assert type(error) is errors.ExchangeFailed
            assert error.__cause__ is None or isinstance(error.__cause__, errors.IntegrationError)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users/x/mailFolders/delta?$deltatoken=1",
        "https://127.0.0.1:9/v1.0/x",
        "http://{host}/v1.0/x",
        "https://user@{host}/v1.0/x",
        "https://{host}/beta/x",
        "//evil.example/v1.0/x",
        "/v1.0/x",
        "https://[/v1.0/x",
    ],
)
def test_no_token_is_sent_to_a_link_to_another_server(link: str) -> None:
    paths = []

    def answer(request: Any) -> Response:
        paths.append(request.path)
        page = {"value": [], "@odata.nextLink": link.replace("{host}", request.headers["Host"])}
        return Response(200, json.dumps(page).encode(), "application/json")

    with peer(answer) as settings:
        source = GraphSource(settings, ADDRESS)
        error = fault_of(lambda: list(source.changes("AQMk", None)))  # type: ignore[arg-type]
    assert type(error) is errors.ExchangeFailed
    assert len(paths) == 1


def test_a_service_that_repeats_one_page_forever_is_a_failure() -> None:
    def answer(request: Any) -> Response:
        link = f"https://{request.headers['Host']}/v1.0/users/x/mailFolders/y/messages/delta?$skiptoken=1"
        return Response(200, json.dumps({"value": [], "@odata.nextLink": link}).encode(), "application/json")

    with peer(answer) as settings:
        source = GraphSource(settings, ADDRESS)
        error = fault_of(lambda: list(source.changes("AQMk", None)))  # type: ignore[arg-type]
        assert type(error) is errors.ExchangeFailed
        assert type(fault_of(lambda: source.folders(None))) is errors.ExchangeFailed


@pytest.mark.parametrize("answered", [["1"], [*map(str, range(8)), "9"]], ids=["too few", "another"])
def test_a_batch_that_does_not_answer_each_request_is_a_failure(world: World, answered: list[str]) -> None:
    parts = [{"id": number, "status": 200, "body": {"id": f"folder {number}"}} for number in answered]
    world.graph.faults.add("status", operation="batch", status=200, body=json.dumps({"responses": parts}), times=1)
    assert type(fault_of(lambda: world.source().folders(None))) is errors.ExchangeFailed


def test_a_truncated_body_is_a_failure(world: World) -> None:
    world.deliver("a")
    source = world.source()
    changes = world.listed(source)
    for effect, options in (("drop", {"bytes": 40}), ("truncate", {"bytes": 40})):
        world.graph.faults.add(effect, operation="messages-delta", times=1, **options)
        assert isinstance(fault_of(lambda: world.listed(source)), errors.ExchangeFailed)
    world.graph.faults.add("drop", operation="mime", times=1, bytes=40)
    assert isinstance(fault_of(lambda: list(source.fetch(changes))), errors.ExchangeFailed)


@pytest.mark.parametrize(("effect", "options"), [("hang", {"seconds": 30}), ("drip", {"rate": 3})])
def test_a_fetch_ends_at_its_deadline(world: World, effect: str, options: dict[str, int]) -> None:
    world.deliver(*"abcdefgh")
    source = world.source(deadline=1.0)
    changes = world.listed(source)
    world.graph.faults.add(effect, operation="mime", after=5, **options)
    assert isinstance(fault_of(lambda: list(source.fetch(changes))), errors.ExchangeTimedOut)


# ---- incomplete rows, and limits ------------------------------------------------------------------------------------


def test_an_incomplete_row_is_completed_and_a_row_with_only_a_read_flag_is_of_kind_read(world: World) -> None:
    (item,) = world.deliver("a")
    source = world.source()
    (whole,) = world.listed(source)
    row = {"id": whole.item_id, "categories": ["Red"]}
    delta = {"value": [row, {"id": "AAkALgAAread", "isRead": True}]}
    link = f"{world.settings.base}/v1.0/users('x')/mailFolders('y')/messages/delta?$deltatoken=1"
    body = json.dumps(delta | {"@odata.deltaLink": link})
    world.graph.faults.add("status", operation="messages-delta", status=200, body=body, times=1)
    folder = world.inbox(source)
    (page,) = source.changes(folder, None)
    completed, read = page.changes
    assert replace(completed, kind=whole.kind) == whole
    assert read.kind is ChangeKind.READ
    (email,) = source.fetch([completed])
    assert isinstance(email, Email)
    assert item.mail.message_id == completed.message_id


def test_at_most_four_requests_run_at_the_same_time(world: World) -> None:
    world.graph.throttle.limits = Limits()
    try:
        world.deliver(*(str(number) for number in range(30)))
        source = world.source()
        world.graph.faults.add("slow", operation="mime", seconds=0.01)
        assert len(list(source.fetch(world.listed(source)))) == 30
        assert world.graph.throttle.refused == 0
    finally:
        world.graph.throttle.limits = None


def test_an_email_needs_one_request_and_an_unchanged_mailbox_one_for_its_tree_and_each_folder(world: World) -> None:
    world.deliver("a", "b", "c")
    source = world.source()
    folders = source.folders(None)
    inbox = world.inbox(source)
    world.graph.requests.clear()
    pages = list(source.changes(inbox, None))
    list(source.fetch(pages[0].changes))
    assert world.operations() == ["messages-delta", *["mime"] * 3]
    world.graph.requests.clear()
    source.folders(folders.cursor)
    list(source.changes(inbox, pages[-1].cursor))
    assert world.operations() == ["folders-delta", "messages-delta"]
