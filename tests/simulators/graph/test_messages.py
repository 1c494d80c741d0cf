"""Single messages, lists without change tracking, and batches."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from simulators.exchange import mail_of
from simulators.graph.mime import rendered
from tests.mails import NOON, mail
from tests.simulators.graph.conftest import ADDRESS, IMMUTABLE, OUTSIDE, Reader, names

LIST = "mailFolders/inbox/messages"


def only_id(reader: Reader) -> str:
    (row,) = reader.get(LIST, select="id").json()["value"]
    return str(row["id"])


def batch(reader: Reader, *requests: dict[str, Any]) -> httpx.Response:
    return reader.client.post(
        f"{reader.graph.url}/v1.0/$batch", json={"requests": list(requests)}, headers=reader.headers
    )


def test_a_message_has_the_selected_properties(reader: Reader) -> None:
    reader.deliver("a", sender="Jörg Weiß <j@x.example>", to="desk@bank.example, Ops <ops@bank.example>")
    data = reader.get(f"messages/{only_id(reader)}").json()
    assert data["subject"] == "About a"
    assert data["from"] == {"emailAddress": {"name": "Jörg Weiß", "address": "j@x.example"}}
    assert [one["emailAddress"]["name"] for one in data["toRecipients"]] == ["desk@bank.example", "Ops"]
    assert (data["receivedDateTime"], data["sentDateTime"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z")
    assert data["@odata.etag"] == f'W/"{data["changeKey"]}"'
    assert "internetMessageHeaders" not in data
    few = reader.get(f"messages/{only_id(reader)}", select="ISREAD, internetMessageHeaders").json()
    assert set(few) == {"@odata.context", "@odata.etag", "id", "isRead", "internetMessageHeaders"}
    assert {"name": "Subject", "value": "About a"} in few["internetMessageHeaders"]
    assert reader.error(f"messages/{only_id(reader)}", select="size") == (400, "RequestBroker--ParseUri")


def test_mapi_properties_are_returned_by_expand(reader: Reader) -> None:
    given = replace(mail_of(mail("a", subject="RE: Trade 5")), item_class="IPM.Note.SMIME", sensitivity="Private")
    reader.mailbox.deliver(given)
    tags = ("String 0x001A", "Integer 0x0E08", "LONG 0xe08", "Integer 0x36", "String 0x0070", "String 0x9999")
    wanted = " or ".join(f"id eq '{tag}'" for tag in tags)
    expand = f"singleValueExtendedProperties($filter={wanted})"
    expected = [
        {"id": "String 0x1a", "value": "IPM.Note.SMIME"},
        {"id": "Integer 0xe08", "value": str(given.size)},
        {"id": "Long 0xe08", "value": str(given.size)},
        {"id": "Integer 0x36", "value": "2"},
        {"id": "String 0x70", "value": "Trade 5"},
    ]
    data = reader.get(f"messages/{only_id(reader)}", select="id", expand=expand).json()
    assert data["singleValueExtendedProperties"] == expected
    (row,), link = reader.round(f"{LIST}/delta", select="id", expand=expand)
    assert row["singleValueExtendedProperties"] == expected
    reader.mailbox.mark_read(reader.mailbox.find("<a@north.example>")[0].id)
    assert reader.round(link)[0][0]["singleValueExtendedProperties"] == expected
    assert reader.error(LIST, expand="attachments") == (400, "RequestBroker--ParseUri")
    nonsense = "singleValueExtendedProperties($filter=id gt 5)"
    assert reader.error(LIST, expand=nonsense)[0] == 400


def test_a_list_is_filtered_ordered_and_counted(reader: Reader) -> None:
    for hours in range(5):
        reader.deliver(f"h{hours}", sent=NOON + timedelta(hours=hours))
    reader.deliver("sent", "Sent Items")
    page = reader.get(LIST, top="2", count="true", filter="receivedDateTime ge 2026-03-01T13:00:00Z").json()
    rest = reader.get(page["@odata.nextLink"]).json()
    assert (names(page["value"]), names(rest["value"]), page["@odata.count"]) == (["h4", "h3"], ["h2", "h1"], 4)
    assert "@odata.nextLink" not in rest
    assert names(reader.get(LIST, orderby="receivedDateTime asc", skip="3").json()["value"]) == ["h3", "h4"]
    one = reader.get("messages", filter="internetMessageId eq '<sent@north.example>'").json()["value"]
    assert names(one) == ["sent"]
    window = "receivedDateTime ge 2026-03-01T13:00:00Z and receivedDateTime lt 2026-03-01T15:00:00Z"
    assert names(reader.get(LIST, filter=window).json()["value"]) == ["h2", "h1"]


@pytest.mark.parametrize(
    ("where", "options", "code"),
    [
        (f"{LIST}/delta", {"search": '"a"'}, "ErrorInvalidUrlQuery"),
        (f"{LIST}/delta", {"skip": "3"}, "ErrorInvalidUrlQuery"),
        (f"{LIST}/delta", {"count": "true"}, "ErrorInvalidUrlQuery"),
        (f"{LIST}/delta", {"orderby": "subject"}, "ErrorInvalidUrlQuery"),
        (f"{LIST}/delta", {"filter": "isRead eq false"}, "ErrorInvalidUrlQuery"),
        (f"{LIST}/delta", {"filter": "receivedDateTime lt 2026-03-01T12:00:00Z"}, "ErrorInvalidUrlQuery"),
        (f"{LIST}/delta", {"filter": "receivedDateTime ge yesterday"}, "BadRequest"),
        (f"{LIST}/delta", {"filter": "receivedDateTime ge 2026-03-01T12:00:00"}, "BadRequest"),
        (f"{LIST}/delta", {"changeType": "moved"}, "BadRequest"),
        (f"{LIST}/delta", {"select": "size"}, "RequestBroker--ParseUri"),
        (f"{LIST}/delta", {"top": "0"}, "BadRequest"),
        ("messages/delta", {}, "ErrorInvalidRequest"),
        ("mailFolders/delta", {"filter": "displayName eq 'x'"}, "ErrorInvalidUrlQuery"),
        (LIST, {"search": "x"}, "ErrorInvalidUrlQuery"),
        (LIST, {"top": "many"}, "BadRequest"),
        (LIST, {"skip": "-1"}, "BadRequest"),
        (LIST, {"orderby": "subject"}, "ErrorInvalidUrlQuery"),
        (LIST, {"filter": "contains(subject,'x')"}, "ErrorInvalidUrlQuery"),
        ("messages/short", {}, "ErrorInvalidIdMalformed"),
        (f"{LIST}?$top=1&$top=2", {}, "BadRequest"),
        ("mailboxSettings", {}, "BadRequest"),
        ("mailFolders/inbox/rules", {}, "BadRequest"),
    ],
)
def test_queries_that_graph_refuses_are_refused(reader: Reader, where: str, options: dict[str, str], code: str) -> None:
    assert reader.error(where, **options) == (400, code)


def test_an_invalid_page_size_is_refused(reader: Reader) -> None:
    assert reader.error(f"{LIST}/delta", "odata.maxpagesize=many") == (400, "BadRequest")
    assert reader.error(f"{LIST}/delta", "odata.maxpagesize=0") == (400, "BadRequest")


def test_nothing_can_be_written(reader: Reader) -> None:
    item = reader.deliver("a")
    url = f"{reader.root}/messages/{only_id(reader)}"
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        answer = reader.client.request(method, url, headers=reader.headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    assert reader.mailbox.item(item.id) is item
    assert reader.client.request("OPTIONS", url, headers=reader.headers).status_code == 405
    assert reader.error(f"{reader.graph.url}/beta/users/{ADDRESS}/mailFolders") == (400, "BadRequest")


def test_a_message_is_found_only_in_its_folder_and_mailbox(reader: Reader) -> None:
    reader.deliver("a")
    number = only_id(reader)
    assert reader.get(f"{LIST}/{number}").status_code == 200
    assert reader.error(f"mailFolders/sentitems/messages/{number}") == (404, "ErrorItemNotFound")
    other = f"{reader.graph.url}/v1.0/users/ops@bank.example/messages/{number}"
    assert reader.error(other) == (404, "ErrorItemNotFound")


def test_each_request_of_a_batch_gets_the_response_of_a_separate_request(reader: Reader) -> None:
    item = reader.deliver("a")
    number = only_id(reader)
    answer = batch(
        reader,
        {"id": "1", "method": "GET", "url": f"/users/{ADDRESS}/messages/{number}/$value"},
        {"id": "2", "method": "GET", "url": f"users/{ADDRESS}/messages/{number}?$select=subject"},
        {"id": "3", "method": "GET", "url": f"/users/{OUTSIDE}/mailFolders"},
        {"id": "4", "method": "DELETE", "url": f"/users/{ADDRESS}/messages/{number}"},
        {"id": "5", "method": "GET", "url": f"/users/{ADDRESS}/messages/{number}", "dependsOn": ["3"]},
        {
            "id": "6",
            "method": "GET",
            "url": f"/users/{ADDRESS}/mailFolders/inbox/messages/delta",
            "headers": {"Prefer": IMMUTABLE},
        },
    )
    data = {one["id"]: one for one in answer.json()["responses"]}
    assert {number: one["status"] for number, one in data.items()} == {
        "1": 200, "2": 200, "3": 403, "4": 403, "5": 424, "6": 200,
    }  # fmt: skip
    assert base64.b64decode(data["1"]["body"]) == rendered(item.mail.content())
    assert data["2"]["body"]["subject"] == "About a"
    assert data["6"]["body"]["value"][0]["id"].startswith("AAkA")
    assert [one["id"] for one in answer.json()["responses"]] != sorted(data)
    assert reader.graph.operations.count("mime") == 1


@pytest.mark.parametrize("number", [0, 21])
def test_a_batch_has_from_one_to_twenty_requests(reader: Reader, number: int) -> None:
    parts = [{"id": str(one), "method": "GET", "url": f"/users/{ADDRESS}/mailFolders"} for one in range(number)]
    assert batch(reader, *parts).status_code == 400
    assert batch(reader, *parts[:20]).status_code == (200 if number else 400)


def test_an_invalid_batch_is_refused(reader: Reader) -> None:
    one = {"id": "a", "method": "GET", "url": "/x"}
    assert batch(reader, one, one | {"id": "A"}).status_code == 400
    assert batch(reader, {"id": "1"}).status_code == 400
    url = f"{reader.graph.url}/v1.0/$batch"
    assert reader.client.post(url, content=b"{", headers=reader.headers).status_code == 400
    assert reader.client.post(url, json={"requests": [one]}).status_code == 401


def test_every_response_has_request_ids(reader: Reader) -> None:
    reader.headers["client-request-id"] = "mine"
    answer = reader.get("mailFolders/inbox")
    assert answer.headers["client-request-id"] == "mine"
    assert answer.headers["request-id"]
