"""The control endpoint, recording, and the HTML pages."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.recording import Recorder
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator

Sync = Callable[..., httpx.Response]
EVIL = "<script>alert(1)</script> & \"quoted\" 'text' \x07"


def test_the_state_contains_the_counts_and_ai_units_of_each_source(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync(comment)
    sync({**comment, "user_properties": {"string:Folder": "Done"}})
    state = client.get(f"{reinfer.control_url}/state").json()
    (source,) = state["sources"]
    assert (source["project"], source["name"], source["comments"]) == ("bank", "desk", 1)
    assert (source["ai_units"], source["text_changes"], source["messages_changed"]) == (1, 0, 0)
    assert state["requests"] == {"sync": 2}


def test_a_source_contains_the_writes_of_each_comment(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync(comment)
    sync({**comment, "user_properties": {"string:Folder": "Done"}})
    url = f"{reinfer.control_url}/sources/bank/desk"
    assert "comment_list" not in client.get(url).json()
    listed = client.get(url, params={"comments": "1"}).json()["comment_list"][comment["id"]]
    assert listed["writes"] == ["new", "updated_properties_only"]
    assert listed["user_properties"] == {"string:Folder": "Done"}
    assert "content" not in listed
    full = client.get(url, params={"comments": "full"}).json()["comment_list"][comment["id"]]
    assert full["content"]["messages"][0]["subject"] == {"text": "Trade 4411 unmatched"}
    assert client.get(f"{reinfer.control_url}/sources/bank/nowhere").status_code == 404


def test_sources_are_created_and_deleted_and_comments_are_annotated_and_translated(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    control = reinfer.control_url
    assert client.put(f"{control}/sources/new/one").status_code == 200
    assert client.put(f"{control}/sources/new/one").status_code == 409
    assert client.put(f"{control}/sources/new/o.ne").status_code == 400
    assert client.delete(f"{control}/sources/new/one").status_code == 200
    assert client.delete(f"{control}/sources/new/one").status_code == 404
    sync(comment)
    name = {"source": "bank/desk", "id": comment["id"]}
    assert client.post(f"{control}/annotate", json=name).status_code == 200
    assert client.post(f"{control}/translate", json={**name, "text": "Hallo", "language": "de"}).status_code == 200
    read = client.get(f"/api/v1/sources/bank/desk/comments/{comment['id']}").json()["comment"]
    assert read["has_annotations"] is True
    assert read["messages"][0]["body"] == {"text": "Hallo", "translated_from": "Could you look at trade 4411, please?"}
    assert client.post(f"{control}/annotate", json={**name, "id": "missing"}).status_code == 404


def test_faults_are_scripted_from_another_process(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    url = f"{reinfer.control_url}/faults"
    fault = {"effect": "busy", "operation": "sync", "times": 2, "retry_after": 3}
    assert client.post(url, json=fault).status_code == 200
    assert sync(comment).headers["Retry-After"] == "3"
    assert client.get(url).json()["faults"] == [{**fault, "times": 1, "after": 0, "source": "*"}]
    assert client.delete(url).json() == {"faults": []}
    assert sync(comment).status_code == 200


def test_the_control_endpoint_takes_nothing_that_a_foreign_web_page_could_post(
    reinfer: ReinferSimulator, client: httpx.Client
) -> None:
    body = json.dumps({"effect": "busy"})
    plain = {"Content-Type": "text/plain"}
    assert client.post(f"{reinfer.control_url}/faults", content=body, headers=plain).status_code == 415
    assert reinfer.faults.described() == []


def test_api_calls_are_recorded_without_tokens_and_nothing_else_is(
    tmp_path: Path, connect: Callable[..., httpx.Client], comment: dict[str, Any]
) -> None:
    with ReinferSimulator(sources=[("bank", "desk")], recorder=Recorder(tmp_path)) as simulator:
        client = connect(simulator)
        client.get(simulator.pages_url)
        client.get(f"{simulator.control_url}/state")
        client.post("/api/v1/sources/bank/desk/sync", json={"comments": [comment]})
        client.get(f"/api/v1/sources/bank/desk/comments/{comment['id']}")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [
        "000001-sync-request.json",
        "000001-sync-response-200.json",
        "000002-get-comment-request.txt",
        "000002-get-comment-response-200.json",
    ]
    assert json.loads((tmp_path / files[0]).read_text()) == {"comments": [comment]}
    assert not any(DEFAULT_TOKEN in path.read_text() for path in tmp_path.iterdir())


def test_the_pages_escape_all_received_data(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    comment["messages"][0] |= {"subject": {"text": EVIL}, "body": {"text": EVIL}, "from": EVIL}
    comment["user_properties"] = {"string:Folder": EVIL}
    comment["attachments"][0] |= {"name": EVIL, "content_type": EVIL}
    assert sync(comment).status_code == 200
    pages = [client.get(f"{reinfer.pages_url}{path}") for path in ("", "sources/bank/desk")]
    pages.append(client.get(f"{reinfer.pages_url}sources/bank/desk/{comment['id']}"))
    for page in pages:
        assert page.status_code == 200
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert "\x07" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in pages[1].text
    assert "number" not in pages[1].text
    assert "1 AI unit" in pages[2].text


@pytest.mark.parametrize("path", ["nothing", "sources/bank/nowhere", "sources/bank/desk/missing", "static/../x"])
def test_an_unknown_path_is_a_404_with_a_page(reinfer: ReinferSimulator, client: httpx.Client, path: str) -> None:
    page = client.get(f"{reinfer.pages_url}{path}")
    assert page.status_code == 404
    assert "This page does not exist" in page.text


def test_comments_are_shown_newest_first_and_in_pages(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync(*({**comment, "id": f"n{number:02}"} for number in range(51)))
    first = client.get(f"{reinfer.pages_url}sources/bank/desk").text
    assert first.index("/n50") < first.index("/n49")
    assert "/n00" not in first
    second = client.get(f"{reinfer.pages_url}sources/bank/desk", params={"page": "2"}).text
    assert "/n00" in second
    assert "/n01" not in second
    assert client.get(f"{reinfer.pages_url}static/arrived.css").headers["Content-Type"].startswith("text/css")
