"""Buckets, their raw emails, sources that create comments from the emails, and keyed sync states.

In this API of Re:infer, a bucket contains raw emails, and a source contains comments.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from simulators.reinfer import ReinferSimulator
from tests.mails import mail, message_id_of

BUCKETS = "/api/_private/buckets"
DESKS = f"{BUCKETS}/bank/desks"


def email(name: str = "a01", mailbox: str = "desk@bank.example", **changes: Any) -> dict[str, Any]:
    return {
        "id": message_id_of(name),
        "mailbox": mailbox,
        "timestamp": "2026-03-02T08:15:30Z",
        "mime_content": mail(name, body=f"The text of {name}.").decode(),
        "metadata": {"folder": ["Inbox", "Trades"], "size": 44, "received_at": "2026-03-02T08:15:32Z"},
        **changes,
    }


@pytest.fixture
def bucket(client: httpx.Client) -> dict[str, Any]:
    made = client.put(DESKS, json={"bucket": {"bucket_type": "emails", "title": "Desks"}})
    return dict(made.json()["bucket"])


def put(client: httpx.Client, *emails: dict[str, Any]) -> httpx.Response:
    return client.put(f"{DESKS}/emails?no_charge=false", json={"emails": list(emails)})


def test_a_bucket_is_found_by_name_by_id_and_as_one_segment(client: httpx.Client, bucket: dict[str, Any]) -> None:
    assert {"id", "owner", "name", "title", "created_at", "updated_at"} <= set(bucket)
    for path in (DESKS, f"{BUCKETS}/id:{bucket['id']}", f"{BUCKETS}/bank%2Fdesks"):
        assert client.get(path).json() == {"status": "ok", "bucket": bucket}
    assert client.get(BUCKETS).json()["buckets"] == client.get(f"{BUCKETS}/bank").json()["buckets"] == [bucket]
    assert client.put(DESKS, json={"bucket": {}}).status_code == 409
    assert client.get(f"{BUCKETS}/bank/none").status_code == 404


def test_last_updated_by_of_a_bucket_needs_all_four_keys(client: httpx.Client, bucket: dict[str, Any]) -> None:
    by = {"config_owner": "bank", "config_key": "main", "shard_index": 0, "num_shards": 2}
    changed = client.post(DESKS, json={"bucket": {"title": "T", "last_updated_by": by}}).json()["bucket"]
    assert (changed["title"], changed["last_updated_by"]) == ("T", by)
    del by["num_shards"]
    assert client.post(DESKS, json={"bucket": {"last_updated_by": by}}).status_code == 400


def test_a_bucket_is_deleted_by_its_id_unless_a_source_is_linked(client: httpx.Client, bucket: dict[str, Any]) -> None:
    by_id, source = f"{BUCKETS}/id:{bucket['id']}", "/api/v1/sources/bank/desk"
    assert (
        client.post(source, json={"source": {"bucket_id": bucket["id"]}}).json()["source"]["bucket_id"] == bucket["id"]
    )
    assert client.delete(by_id).status_code == 400
    # An update without `bucket_id` detaches the bucket.
    assert client.post(source, json={"source": {"title": "T"}}).json()["source"]["bucket_id"] is None
    assert client.delete(by_id).json() == {"status": "ok"}
    assert client.get(DESKS).status_code == 404


def test_emails_are_put_without_counts_and_read_back_with_every_key(
    client: httpx.Client, bucket: dict[str, Any]
) -> None:
    assert put(client, email(), email(mailbox="ops@bank.example", metadata={})).json() == {"status": "ok"}
    assert put(client, email()).json() == {"status": "ok"}
    found = client.get(f"{DESKS}/emails", params={"id": message_id_of("a01")}).json()["emails"]
    assert [one["mailbox"] for one in found] == ["desk@bank.example", "ops@bank.example"]
    assert found[0]["metadata"]["folder"] == ["Inbox", "Trades"]
    assert set(found[1]["metadata"].values()) == {None}
    assert len(found[1]["metadata"]) == 10
    assert found[0]["attachments"] == []
    assert {"created_at", "updated_at"} <= set(found[0])
    assert client.get(f"{DESKS}/statistics").json()["statistics"] == {"count": {"kind": "exact", "value": 2}}
    assert client.delete(f"{DESKS}/emails", params={"id": [message_id_of("a01"), "<none>"]}).json() == {"status": "ok"}
    assert client.get(f"{DESKS}/statistics").json()["statistics"]["count"]["value"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"mime_content": 1},
        {"timestamp": "yesterday"},
        {"subject": "x"},
        {"metadata": {"size": None}},
        {"metadata": {"unknown": 1}},
        {"attachments": [{"name": "a", "size": 1, "content_type": ".txt", "content_hash": "0" * 64}]},
    ],
)
def test_one_wrong_email_refuses_the_whole_batch(
    reinfer: ReinferSimulator, client: httpx.Client, bucket: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert put(client, email("a02"), {**email(), **wrong}).status_code == 400
    assert reinfer.store.buckets["bank", "desks"].emails == {}


def test_a_filtered_page_can_be_empty_although_more_pages_follow(client: httpx.Client, bucket: dict[str, Any]) -> None:
    put(client, *(email(f"a0{number}", "ops@bank.example") for number in range(4)), email("a09"))
    seen: list[list[str]] = []
    asked: dict[str, Any] = {"limit": 2, "mailbox_name": "desk@bank.example"}
    more = True
    while more:
        answer = client.post(f"{DESKS}/emails/query", json=asked).json()
        seen.append([one["id"] for one in answer["emails"]])
        more, asked = answer["more_results"], {**asked, "continuation": answer.get("continuation")}
    assert seen == [[], [], [message_id_of("a09")]]
    assert client.post(f"{DESKS}/emails", json={"limit": 256}).json()["emails"][4]["id"] == message_id_of("a09")
    bounds = {"limit": 9, "from_timestamp": "2026-03-02T08:15:30Z", "to_timestamp": "2026-03-02T08:15:30Z"}
    assert client.post(f"{DESKS}/emails/query", json=bounds).json()["emails"] == []


def test_a_linked_source_makes_a_comment_of_each_email_and_bills_it_once(
    reinfer: ReinferSimulator, client: httpx.Client, bucket: dict[str, Any]
) -> None:
    put(client, email("early"), email("broken", mime_content="no header\r\n\r\nat all"))
    client.put(
        "/api/v1/sources/bank/parsed",
        json={"source": {"bucket_id": bucket["id"], "email_transform_tag": "generic.0.CONVKER5"}},
    )
    put(client, email("late"))
    put(client, email("late", metadata={"folder": ["Archive"]}))
    source = reinfer.sources["bank", "parsed"]
    assert source.ai_units == 3
    late = source.comments[message_id_of("late").encode().hex()]
    assert late.content["messages"][0]["body"]["text"].strip() == "The text of late."
    assert late.properties == {"string:Folder": "Archive", "string:Mailbox ID": "desk@bank.example"}


def test_sync_states_are_of_folders_or_mailboxes_and_are_deleted_by_key(
    client: httpx.Client, bucket: dict[str, Any]
) -> None:
    base = f"{BUCKETS}/id:{bucket['id']}"
    mailbox = {"mailbox_name": "desk@bank.example", "status": "UP_TO_DATE", "synced_until": "2026-03-02T08:15:32Z"}
    folder = {**mailbox, "status": "IN_PROGRESS", "folder_id": "F1", "folder_path": ["Inbox"], "fingerprint": None}
    for key, state in (("6d61", mailbox), ("6d62", folder)):
        assert client.put(f"{base}/keyed-sync-state/{key}", json={"keyed_sync_state": state}).json() == {"status": "ok"}
    assert client.get(f"{base}/keyed-sync-states/").json() == client.get(f"{base}/keyed-sync-states%2F").json()
    listed = client.get(f"{base}/keyed-sync-states/").json()["keyed_sync_states"]
    assert [state.get("folder_path") for state in listed] == [None, ["Inbox"]]
    assert {"last_synced_at", "status", "mailbox_name"} <= set(
        client.get(f"{base}/keyed-sync-state/6d61").json()["keyed_sync_state"]
    )
    ids = client.post(f"{base}/keyed-sync-state-ids", json={"mailbox_name": "desk@bank.example"}).json()
    assert ids["keyed_sync_state_ids"] == ["6d61", "6d62"]
    assert (
        client.post(f"{base}/keyed-sync-state-ids", json={"mailbox_name": "DESK@bank.example"}).json()[
            "keyed_sync_state_ids"
        ]
        == []
    )
    assert client.delete(f"{base}/keyed-sync-state/6d61").json() == {"status": "ok"}
    assert client.delete(f"{base}/keyed-sync-state/6d61").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"folder_id": "F1"}, {"folder_path": []}, {"status": "DONE"}, {"kind": "mailbox"}, {"mailbox_name": ""}]
)
def test_a_sync_state_that_breaks_the_schema_is_refused(
    client: httpx.Client, bucket: dict[str, Any], wrong: dict[str, Any]
) -> None:
    state = {"mailbox_name": "desk@bank.example", "status": "UP_TO_DATE", **wrong}
    path = f"{BUCKETS}/id:{bucket['id']}/keyed-sync-state/6d61"
    assert client.put(path, json={"keyed_sync_state": state}).status_code == 400


def test_the_content_of_a_stored_email_is_linked_by_its_hash(client: httpx.Client, bucket: dict[str, Any]) -> None:
    path = f"{BUCKETS}/id:{bucket['id']}/emails/{quote(message_id_of('a01'), safe='')}/attachments/0"
    uploaded = client.put(path, files={"file": ("0.hello.txt", b"Hi")}).json()
    attachment = {"name": "hello.txt", "size": 2, "content_type": ".txt", "content_hash": uploaded["content_hash"]}
    put(client, email(attachments=[attachment]))
    (found,) = client.get(f"{DESKS}/emails", params={"id": message_id_of("a01")}).json()["emails"]
    reference = found["attachments"][0]["attachment_reference"]
    assert client.get(f"/api/v1/attachments/{reference}").content == b"Hi"
