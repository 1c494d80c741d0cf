"""`sync-raw-emails`: raw emails that are pushed into a source."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulators.reinfer import ReinferSimulator

RAW = "/api/v1/sources/bank/desk/sync-raw-emails"
HEADERS = """\
Message-ID: <a01@fx.example>
From: Ann <ann@fx.example>
To: desk@bank.example
Subject: =?utf-8?q?=C3=9Cber?=
Date: Mon, 2 Mar 2026 08:15:30 +0000"""


def document(**changes: Any) -> dict[str, Any]:
    return {
        "raw_email": {"headers": {"raw": HEADERS}, "body": {"plain": "Hi"}},
        "user_properties": {"string:Folder": "Inbox/Trades"},
        **changes,
    }


def sent(client: httpx.Client, *documents: dict[str, Any], **more: Any) -> httpx.Response:
    return client.post(RAW, json={"transform_tag": "generic.0.CONVKER5", "documents": list(documents), **more})


def test_a_raw_email_becomes_a_comment_that_is_billed_once(reinfer: ReinferSimulator, client: httpx.Client) -> None:
    answer = sent(client, document(), include_comments=True).json()
    assert (answer["new"], answer["updated_text_changed"]) == (1, 0)
    (made,) = answer["comments"]
    assert made["id"] == b"<a01@fx.example>".hex()
    assert made["timestamp"] == "2026-03-02T08:15:30.000000+00:00"
    assert made["messages"][0]["subject"]["text"] == "Über"
    assert made["user_properties"] == {"string:Folder": "Inbox/Trades"}
    moved = document(user_properties={"string:Folder": "Archive"})
    assert sent(client, moved).json()["updated_properties_only"] == 1
    assert "comments" not in sent(client, moved).json()
    assert reinfer.ai_units == 1


def test_headers_may_come_as_a_map_and_the_id_from_the_caller(client: httpx.Client) -> None:
    parsed = {"Date": "Mon, 2 Mar 2026 08:15:30 +0000", "To": ["a@x.example", "b@x.example"], "X-Number": 3}
    raw = {"headers": {"parsed": parsed}, "body": {"html": "<p>Hi <b>there</b></p><style>p {}</style>"}}
    (made,) = sent(client, document(raw_email=raw, comment_id="3c61"), include_comments=True).json()["comments"]
    assert (made["id"], made["messages"][0]["body"]["text"]) == ("3c61", "Hi there")


@pytest.mark.parametrize(
    "wrong",
    [
        document(raw_email={"headers": {"raw": HEADERS, "parsed": {}}, "body": {"plain": ""}}),
        document(raw_email={"headers": {"raw": HEADERS}, "body": {}}),
        document(
            raw_email={
                "headers": {"raw": "Subject: no id\nDate: Mon, 2 Mar 2026 08:15:30 +0000"},
                "body": {"plain": ""},
            }
        ),
        document(raw_email={"headers": {"raw": "Message-ID: <a@b>"}, "body": {"plain": ""}}),
        document(user_properties={"number:Size": "1"}),
        document(user_properties={"string:Size": 1}),
        document(comment_id="a/b"),
        document(unknown=1),
    ],
)
def test_a_document_that_breaks_a_rule_refuses_the_whole_call(
    reinfer: ReinferSimulator, client: httpx.Client, wrong: dict[str, Any]
) -> None:
    assert sent(client, document(comment_id="good"), wrong).status_code == 400
    assert reinfer.sources["bank", "desk"].comments == {}


def test_a_transform_tag_has_three_parts(client: httpx.Client) -> None:
    assert client.post(RAW, json={"documents": [document()], "transform_tag": "generic"}).status_code == 400
    assert client.post(RAW, json={"documents": [document()]}).status_code == 200
