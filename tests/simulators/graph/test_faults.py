"""Scripted faults, throttling limits and the control endpoint."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from simulators.exchange import ExchangeSimulator
from simulators.graph import GraphSimulator, Limits, Registration
from tests.simulators.graph.conftest import ADDRESS, OTHER, Reader, names

INBOX = "mailFolders/inbox/messages/delta"
FOLDER = "mailFolders/inbox"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("syncStateNotFound", 410),
        ("SyncStateNotFound", 410),
        ("resyncRequired", 410),
        ("ErrorItemNotFound", 404),
        ("MailboxNotEnabledForRESTAPI", 404),
        ("ErrorAccessDenied", 403),
        ("ErrorMailboxStoreUnavailable", 503),
        ("InvalidAuthenticationToken", 401),
        ("UnknownError", 504),
    ],
)
def test_a_scripted_error_affects_its_operation_and_number_of_requests(reader: Reader, code: str, status: int) -> None:
    reader.graph.faults.add("error", operation="messages-delta", mailbox=ADDRESS, times=2, after=1, code=code)
    assert reader.get(INBOX).status_code == 200
    assert [reader.error(INBOX) for _ in range(2)] == [(status, code)] * 2
    assert reader.get(INBOX).status_code == 200
    assert reader.get(FOLDER).status_code == 200


def test_throttling_has_a_retry_after_header_only_if_it_is_scripted(reader: Reader) -> None:
    reader.graph.faults.add("throttled", times=1, retry_after=7)
    reader.graph.faults.add("throttled", times=1, code="TooManyRequests")
    reader.graph.faults.add("error", times=1, code="ErrorServerBusy", retry_after=3)
    responses = [reader.get(FOLDER) for _ in range(4)]
    assert [(one.status_code, one.headers.get("Retry-After")) for one in responses] == [
        (429, "7"),
        (429, None),
        (503, "3"),
        (200, None),
    ]
    assert responses[0].json()["error"]["code"] == "ApplicationThrottled"


def test_responses_are_truncated_dropped_delayed_or_from_a_gateway(reader: Reader) -> None:
    faults = reader.graph.faults
    faults.add("status", times=1, status=502, retry_after=1)
    assert (reader.get(FOLDER).status_code, reader.get(FOLDER).status_code) == (502, 200)
    faults.add("truncate", times=1, bytes=20)
    assert len(reader.get(FOLDER).content) == 20
    faults.add("drop", times=1, bytes=20)
    with pytest.raises(httpx.RemoteProtocolError):
        reader.get(FOLDER)
    faults.add("hang", times=1, seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        reader.client.get(f"{reader.root}/{FOLDER}", headers=reader.headers, timeout=0.2)
    faults.add("drip", times=1, rate=100_000)
    assert reader.get(FOLDER).status_code == 200


def test_the_token_endpoint_a_batch_and_one_request_of_a_batch_can_fail(reader: Reader) -> None:
    faults = reader.graph.faults
    faults.add("aadsts", operation="token", times=1, number=7000222)
    faults.add("status", operation="token", times=1, status=503)
    assert [reader.token().status_code for _ in range(3)] == [401, 503, 200]
    faults.add("throttled", operation="folder", times=1, retry_after=5)
    requests = [{"id": str(one), "method": "GET", "url": f"/users/{ADDRESS}/{FOLDER}"} for one in range(2)]
    url = f"{reader.graph.url}/v1.0/$batch"
    responses = reader.client.post(url, json={"requests": requests}, headers=reader.headers).json()["responses"]
    assert sorted(one["status"] for one in responses) == [200, 429]
    assert [one["headers"]["Retry-After"] for one in responses if one["status"] == 429] == ["5"]
    faults.add("error", operation="batch", times=1, code="UnknownError")
    assert reader.client.post(url, json={"requests": requests}, headers=reader.headers).status_code == 504


@pytest.mark.parametrize(("status", "code"), [(500, "ErrorInternalServerError"), (504, "UnknownError")])
def test_each_page_with_a_corrupt_message_fails_and_other_pages_do_not(reader: Reader, status: int, code: str) -> None:
    for number in range(6):
        reader.deliver(str(number))
    newest = names(reader.round(INBOX)[0])
    reader.graph.faults.add(
        "corrupt", message_id=f"<{newest[4]}@north.example>", operation="messages-delta", status=status
    )
    assert [reader.error(INBOX, "odata.maxpagesize=6") for _ in range(2)] == [(status, code)] * 2
    page = reader.get(INBOX, "odata.maxpagesize=4").json()
    assert names(page["value"]) == newest[:4]
    assert reader.error(page["@odata.nextLink"], "odata.maxpagesize=1") == (status, code)
    listed = reader.get("mailFolders/inbox/messages").json()["value"]
    assert len(listed) == 6


def test_a_message_may_be_corrupt_in_some_properties_only(reader: Reader) -> None:
    item = reader.deliver("a")
    reader.graph.faults.add("corrupt", item_id=item.id, properties=["subject", "toRecipients"])
    assert reader.error(INBOX)[0] == 500
    assert reader.error(INBOX, select="id,subject")[0] == 500
    rows, _ = reader.round(INBOX, select="internetMessageId")
    assert names(rows) == ["a"]


def test_a_corrupt_message_cannot_be_fetched_for_a_while(reader: Reader) -> None:
    item = reader.deliver("a")
    reader.graph.faults.add("corrupt", item_id=item.id, operation="mime", times=1, code="ErrorItemNotFound", status=404)
    where = f"messages/{reader.round(INBOX)[0][0]['id']}/$value"
    assert reader.error(where) == (404, "ErrorItemNotFound")
    assert reader.get(where).status_code == 200


def test_a_fifth_concurrent_request_to_one_mailbox_is_throttled(reader: Reader) -> None:
    throttle = reader.graph.throttle
    throttle.limits = Limits()
    with ExitStack() as busy:
        for _ in range(4):
            busy.enter_context(throttle.slot("client", ADDRESS.upper()))
        answer = reader.get(FOLDER)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert "MailboxConcurrency" in answer.json()["error"]["message"]
        assert reader.get(f"{reader.graph.url}/v1.0/users/{OTHER}/{FOLDER}").status_code == 200
    assert reader.get(FOLDER).status_code == 200
    assert throttle.refused == 1


def test_requests_beyond_the_limit_are_refused_until_the_window_ends(reader: Reader) -> None:
    throttle, now = reader.graph.throttle, [1000.0]
    throttle.limits, throttle.clock = Limits(requests=3), lambda: now[0]
    assert [reader.get(FOLDER).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert reader.get(FOLDER).headers["Retry-After"] == "601"
    now[0] += 601
    assert reader.get(FOLDER).status_code == 200


def test_a_slow_request_counts_for_the_limits(reader: Reader) -> None:
    reader.graph.throttle.limits = Limits(concurrent=1, retry_after=None)
    reader.graph.faults.add("slow", times=1, seconds=60)
    with contextlib.suppress(httpx.ReadTimeout):
        reader.client.get(f"{reader.root}/{FOLDER}", headers=reader.headers, timeout=0.2)
    answer = reader.get(FOLDER)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, None)


def control(graph: GraphSimulator, what: str, **given: Any) -> Any:
    answer = httpx.post(f"{graph.control_url}/{what}", json={"mailbox": ADDRESS, **given}, trust_env=False)
    assert answer.status_code == 200
    return answer.json()


def test_another_process_changes_mailboxes_with_the_control_endpoint(reader: Reader) -> None:
    control(reader.graph, "deliver", subject="Hello", body="x", message_id="<new@x>")
    rows, link = reader.round(INBOX)
    assert names(rows) == ["new"]
    control(reader.graph, "move", message_id="<new@x>", folder="Sent Items")
    assert names(reader.round(link)[0]) == ["-"]
    control(reader.graph, "expire-states")
    assert reader.error(link) == (410, "SyncStateNotFound")
    control(reader.graph, "faults", effect="error", code="ErrorAccessDenied")
    assert reader.error(INBOX) == (403, "ErrorAccessDenied")
    httpx.delete(f"{reader.graph.control_url}/faults", trust_env=False)
    control(reader.graph, "expire-tokens")
    assert reader.error(INBOX) == (401, "InvalidAuthenticationToken")
    seen = httpx.get(f"{reader.graph.control_url}/requests", trust_env=False).json()
    assert seen["operations"]["messages-delta"] == 4
    assert seen["tokens"] == 1


def test_both_simulators_serve_one_store(reader: Reader) -> None:
    with ExchangeSimulator(reader.graph.store) as exchange:
        item = exchange.store[ADDRESS].deliver(reader.deliver("a").mail, "Sent Items")
    (row,), _ = reader.round("mailFolders/sentitems/messages/delta")
    assert row["id"] == item.id.replace("/", "-").replace("+", "_")


def test_graph_is_also_served_over_plain_http(reader: Reader) -> None:
    app = Registration("tenant", "client", "s3cret")
    with GraphSimulator(reader.graph.store, registrations=[app], tls=False) as graph, httpx.Client() as client:
        plain = Reader(graph, client)
        plain.sign_in()
        assert graph.url.startswith("http://")
        assert plain.get(INBOX).json()["@odata.deltaLink"].startswith(graph.url)
