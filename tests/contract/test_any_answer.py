"""For any answer of a server, each call of each port (see `any_server`) returns a result or raises an error of that port.

Hypothesis generates statuses, headers, bodies and nearly correct JSON. `NASTY_JSON` contains bodies that are known to break
parsers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations import errors
from integrations.errors import IntegrationError, Scope
from simulators.http import Request, Response
from tests.contract.any_server import PORTS, SIGN_IN, AnyServer, any_server

DEEP = 990
EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
"""Number of random answers per port; CI sets a larger number. The test with one wrong value uses twice this number. Each run
uses other answers."""
NASTY_JSON = (
    b"[" * 100_000,
    b'{"a":' * 100_000,
    *(b'{"value":' + b"[" * depth + b"]" * depth + b"}" for depth in (200, 800, 900, 950, DEEP)),
    b'{"status":"ok","comment":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    b"1e400", b"-1e400", b"NaN", b"9" * 5000, b'"\\ud800"', b'{"a": "\\u0000"}', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00",
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just(10**30), st.just("1" * 30),
    st.just([]), st.just({}), st.just([[]]), st.just({"a": {}}), st.just("0001-01-01T00:00:00+14:00"),
    st.just("9999-12-31T23:59:59-14:00"), st.just("\ud800"), st.just(float("inf")),
)  # fmt: skip
KEYS = (
    "value", "id", "error", "code", "message", "status", "comment", "comments", "statistics", "num_comments",
    "sources", "owner", "name", "responses", "body", "headers", "access_token", "expires_in", "token_type",
    "error_description", "token_endpoint", "authorization_endpoint", "issuer", "@odata.nextLink", "@odata.deltaLink",
    "@removed", "receivedDateTime", "isDraft", "singleValueExtendedProperties", "timestamp", "messages", "attachments",
    "user_properties", "new", "id_token", "refresh_token", "ext_expires_in", "scope", "error_codes", "claims",
    "refresh_in",
)  # fmt: skip
JSON = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=6)
    ),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())
BODIES = st.one_of(st.binary(max_size=200), JSON, st.sampled_from(NASTY_JSON))
STATUSES = st.one_of(
    st.sampled_from([200, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]), st.integers(200, 999)
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["Retry-After", "WWW-Authenticate", "Content-Encoding", "Set-Cookie", "Location", "Date", "Proxy-Authenticate"]
        ),
        st.one_of(
            st.sampled_from(
                ["gzip", "br", "deflate", "gzip, gzip", "identity", "NTLM", "NTLM TlRMTVNTUAACAAAA", "NTLM !", "Negotiate",
                 "Basic", "\xb2", "9" * 400, "Mon, 01 Jan 99999999999 00:00:00 GMT", "http://[", "-1", "1e9"]
            ),
            st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f\x85"), max_size=30),
        ),
    ),
    max_size=2,
)  # fmt: skip
CORRECT: dict[str, dict[str, Any]] = {
    "Graph": {
        "value": [
            {
                "id": "AAMkitem", "parentFolderId": "AQMkfolder", "displayName": "Inbox", "totalItemCount": 5,
                "receivedDateTime": "2026-03-01T12:00:00Z", "lastModifiedDateTime": "2026-03-01T12:00:00Z", "isDraft": False,
                "internetMessageId": "<a@b>", "importance": "normal", "categories": ["Red"], "hasAttachments": False,
                "singleValueExtendedProperties": [{"id": "Integer 0xe08", "value": "512"}],
            }
        ],
        "@odata.deltaLink": "{base}/v1.0/users/x/mailFolders/delta?$deltatoken=1",
        "responses": [{"id": "1", "status": 200, "headers": {}, "body": {"id": "AQMkfolder"}}],
        "id": "AAMkitem", "parentFolderId": "AQMkfolder",
        "error": {"code": "ErrorItemNotFound", "message": "gone"},
    },
    "Re:infer": {
        "status": "ok", "message": "no", "new": 1, "updated": 0, "unchanged": 0,
        "comment": {
            "id": "61", "timestamp": "2026-03-01T12:00:00Z", "thread_id": "t", "messages": [{"subject": {"text": "s"}}],
            "user_properties": {"string:Folder": "Inbox", "number:Size": 7.0}, "attachments": [{"name": "a", "size": 1}],
        },
        "comments": [], "statistics": {"num_comments": 0.0}, "sources": [{"owner": "acme", "name": "mail"}],
    },
    "sign-in": {"access_token": "t", "expires_in": 3600, "token_type": "Bearer", "ext_expires_in": 3600, "error": ""},
    "discovery": {
        "token_endpoint": "{base}/tenant/oauth2/v2.0/token", "authorization_endpoint": "{base}/tenant/oauth2/v2.0/authorize",
        "issuer": "{base}/tenant/v2.0",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[AnyServer]:
    with any_server() as made:
        yield made


def check_all(server: AnyServer) -> list[IntegrationError]:
    """Make all calls of the port and return their errors. Exceptions of other classes are raised."""
    raised = []
    for call in server.calls():
        try:
            call()
        except IntegrationError as error:
            raised.append(error)
    for one in raised:
        is_of_reinfer = one.scope in {Scope.DESTINATION, Scope.BUCKET}
        assert is_of_reinfer == (server.port == "Re:infer"), type(one)
        assert len(str(one)) < 1500
    return raised


@pytest.mark.parametrize("port", PORTS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=STATUSES, body=BODIES, headers=HEADERS)
def test_any_answer_is_a_result_or_an_error_of_the_port(
    server: AnyServer, port: str, status: int, body: bytes, headers: list[tuple[str, str]]
) -> None:
    server.answers(port, lambda request: Response(status, body, headers=tuple(headers), compress=False))
    check_all(server)


@pytest.mark.parametrize("body", NASTY_JSON, ids=lambda body: f"{body[:12]!r} of {len(body)}")
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("port", PORTS)
def test_json_that_breaks_parsers_is_a_result_or_an_error_of_the_port(
    server: AnyServer, port: str, status: int, body: bytes
) -> None:
    server.answers(port, lambda request: Response(status, body, compress=False))
    raised = check_all(server)
    if port in SIGN_IN:
        assert {type(error) for error in raised} - {errors.CursorRefused} == {errors.TokenEndpointFailed}


# ---- nearly correct JSON --------------------------------------------------------------------------------------------


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = put(value[path[0]], path[1:], new)
    return copied


def with_wrong_value(port: str, path: tuple[Any, ...], body: bytes) -> Callable[[Request], Response]:
    """Return a function that returns the correct answer, with `body` at one path.

    `body` is bytes, because it may be JSON that `json` cannot write.
    """
    correct = CORRECT[port.partition(" ")[0]]
    marked = json.dumps(put(correct, path, "{here}")).encode().replace(b'"{here}"', body)

    def answer(request: Request) -> Response:
        return Response(200, marked.replace(b"{base}", f"https://{request.headers['Host']}".encode()), compress=False)

    return answer


@pytest.mark.parametrize("port", ["Graph", "Re:infer", *SIGN_IN])
@settings(max_examples=2 * EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_answer_with_one_wrong_value_is_a_result_or_an_error_of_the_port(
    server: AnyServer, port: str, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(list(paths(CORRECT[port.partition(" ")[0]]))))
    body = data.draw(st.one_of(JSON, st.sampled_from([body for body in NASTY_JSON if body[-1:] in b'}"09N'])))
    server.answers(port, with_wrong_value(port, path, body))
    check_all(server)


LIFETIMES = (
    b"0", b"-1", b"-3600", b"1e400", b"-1e400", b"NaN", b"null", b"[]", b"[3600]", b"{}", b'"soon"', b'""', b"true", b'"inf"',
    b"[" * 500 + b"]" * 500, b"9" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("lifetime", LIFETIMES, ids=lambda body: body[:8].decode())
@pytest.mark.parametrize("port", SIGN_IN[:2])
def test_a_token_without_a_valid_lifetime_is_a_failure_of_the_sign_in_service(
    server: AnyServer, port: str, lifetime: bytes
) -> None:
    server.answers(port, with_wrong_value(port, ("expires_in",), lifetime))
    with pytest.raises(errors.TokenEndpointFailed) as caught:
        server.check()()
    assert "does not follow the protocol" in caught.value.detail


@pytest.mark.parametrize("port", SIGN_IN[:2])
@pytest.mark.parametrize("lifetime", [b"3600", b'"3600"', b"3600.5"])
def test_the_lifetime_of_a_token_may_be_a_number_or_a_text(server: AnyServer, port: str, lifetime: bytes) -> None:
    answer = with_wrong_value(port, ("expires_in",), lifetime)
    server.answers(port, answer)
    assert not [error for error in check_all(server) if isinstance(error, errors.TokenEndpointFailed)]
    # After the sign-in, requests to the mailbox followed.
    assert {request.path.rpartition("/")[2] for request in server.requests} > {"token"}


@pytest.mark.parametrize("port", SIGN_IN[:2])
def test_a_token_with_another_status_than_200_is_not_used(server: AnyServer, port: str) -> None:
    body = json.dumps(CORRECT["sign-in"] | {"error": None}).encode()
    for status in (201, 302, 307, 400, 404):
        server.answers(port, lambda request, status=status: Response(status, body))  # type: ignore[misc]
        with pytest.raises(errors.TokenEndpointFailed):
            server.check()()


@pytest.mark.parametrize("port", SIGN_IN[:2])
@pytest.mark.parametrize("name", ["error", "error_description"])
def test_values_of_a_refusal_that_are_not_text_are_ignored(server: AnyServer, port: str, name: str) -> None:
    body = b'{"error": "invalid_client", "%s": %s}' % (name.encode(), b"[" * 900 + b"]" * 900)
    server.answers(port, lambda request: Response(401, body, compress=False))
    with pytest.raises(IntegrationError) as caught:
        server.check()()
    assert isinstance(caught.value, errors.TokenEndpointFailed | errors.SignInRefused)
