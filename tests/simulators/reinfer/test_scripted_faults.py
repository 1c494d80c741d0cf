"""Scripted faults: the effect of each on the response, whether data is stored, and which calls are affected."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulators.reinfer import ReinferSimulator

Sync = Callable[..., httpx.Response]


def stored_ids(reinfer: ReinferSimulator) -> set[str]:
    return set(reinfer.sources["bank", "desk"].comments)


@pytest.mark.parametrize(
    ("effect", "options", "status", "envelope"),
    [
        ("busy", {}, 429, "error"),
        ("failure", {}, 500, "error"),
        ("failure", {"status": 503}, 503, "error"),
        ("failure", {"status": 409, "message": "Conflict"}, 409, "error"),
        ("error-as-ok", {}, 200, "error"),
        ("ok-as-error", {}, 400, "ok"),
        ("quota", {}, 403, "error"),
        ("token-revoked", {}, 401, "error"),
        ("forbidden", {}, 403, "error"),
    ],
)
def test_a_response_that_replaces_the_real_one_stores_nothing(
    reinfer: ReinferSimulator,
    sync: Sync,
    comment: dict[str, Any],
    effect: str,
    options: dict[str, Any],
    status: int,
    envelope: str,
) -> None:
    reinfer.faults.add(effect, times=1, **options)
    failed = sync(comment)
    assert (failed.status_code, failed.json()["status"]) == (status, envelope)
    assert stored_ids(reinfer) == set()
    assert sync(comment).json()["new"] == 1


def test_busy_has_a_retry_after_header_only_if_it_is_scripted(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    reinfer.faults.add("busy", times=1)
    reinfer.faults.add("busy", times=1, retry_after=7)
    reinfer.faults.add("busy", times=1, retry_after="Mon, 02 Mar 2026 08:15:30 GMT")
    delays = [sync(comment).headers.get("Retry-After") for _ in range(3)]
    assert delays == [None, "7", "Mon, 02 Mar 2026 08:15:30 GMT"]


def test_a_response_can_lack_the_json_of_the_api(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    for effect in ("bad-gateway", "empty", "garbage", "redirect"):
        reinfer.faults.add(effect, times=1)
    gateway, empty, garbage, redirect = (sync(comment) for _ in range(4))
    assert (gateway.status_code, gateway.headers["Content-Type"]) == (502, "text/html")
    assert (empty.status_code, empty.content) == (200, b"")
    assert garbage.content.endswith(b'"new": ')
    assert (redirect.status_code, redirect.headers["Location"]) == (302, "https://login.example/")
    assert stored_ids(reinfer) == set()


def test_a_dropped_call_stores_nothing_and_a_call_taken_then_dropped_stores_its_data(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    reinfer.faults.add("drop", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        sync({**comment, "id": "a"})
    reinfer.faults.add("taken-then-dropped", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        sync({**comment, "id": "b"})
    assert stored_ids(reinfer) == {"b"}
    assert reinfer.ai_units == 1


def test_a_response_can_be_cut_after_the_data_was_stored(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    reinfer.faults.add("cut", times=1, at=20)
    with pytest.raises(httpx.RemoteProtocolError, match="received 20 bytes"):
        sync(comment)
    assert stored_ids(reinfer) == {comment["id"]}


def test_a_hang_ends_with_the_simulator(connect: Callable[..., httpx.Client], comment: dict[str, Any]) -> None:
    with ReinferSimulator(sources=[("bank", "desk")]) as simulator:
        simulator.faults.add("hang", times=1)
        simulator.faults.add("taken-then-hang", times=1)
        client = connect(simulator)
        for name in ("a", "b"):
            with pytest.raises(httpx.ReadTimeout):
                client.post("/api/v1/sources/bank/desk/sync", json={"comments": [{**comment, "id": name}]}, timeout=0.2)
        assert stored_ids(simulator) == {"b"}
        start = time.monotonic()
    assert time.monotonic() - start < 2


def test_a_response_can_be_sent_slowly(reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]) -> None:
    reinfer.faults.add("drip", times=1, rate=400)
    start = time.monotonic()
    assert sync(comment).json()["new"] == 1
    assert time.monotonic() - start > 0.15


def test_a_refused_comment_fails_its_whole_batch(
    reinfer: ReinferSimulator, sync: Sync, client: httpx.Client, comment: dict[str, Any]
) -> None:
    a, bad, c = ({**comment, "id": name} for name in ("a", "bad", "c"))
    reinfer.faults.refuse("bad", status=422, message="unprocessable")
    refused = sync(a, bad, c)
    assert (refused.status_code, refused.json()["message"]) == (422, "unprocessable")
    assert stored_ids(reinfer) == set()
    assert sync(a, c).json()["new"] == 2
    assert sync(bad).status_code == 422
    assert client.get("/api/v1/sources/bank/desk").status_code == 200


def test_a_fault_affects_only_its_operation_and_source(
    reinfer: ReinferSimulator, sync: Sync, client: httpx.Client, comment: dict[str, Any]
) -> None:
    reinfer.store.create("bank", "other")
    reinfer.faults.add("failure", operation="sync", source="bank/other")
    assert sync(comment).status_code == 200
    assert client.get("/api/v1/sources/bank/other").status_code == 200
    assert client.post("/api/v1/sources/bank/other/sync", json={"comments": []}).status_code == 500


def test_a_fault_can_begin_later_and_end(reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]) -> None:
    reinfer.faults.add("failure", operation="sync", after=1, times=2)
    assert [sync(comment).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert reinfer.faults.described() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "nonsense"},
        {"effect": "busy", "seconds": 3},
        {"effect": "busy", "operation": "sinc"},
        {"effect": "busy", "times": "often"},
        {"operation": "sync"},
    ],
)
def test_an_invalid_fault_is_refused(client: httpx.Client, reinfer: ReinferSimulator, fault: Any) -> None:
    refused = client.post(f"{reinfer.control_url}/faults", json=fault)
    assert refused.status_code == 400
    assert client.get(f"{reinfer.control_url}/faults").json() == {"faults": []}
