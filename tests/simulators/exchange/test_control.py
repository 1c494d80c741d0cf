"""The control endpoint, with which another process changes the mailboxes and reads their contents."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.mails import mail
from tests.simulators.exchange.conftest import ADDRESS, EwsClient, get_folder, get_item

NEW: dict[str, Any] = {"subject": "Hello", "body": "Grüße", "message_id": "<new@x>"}


def do(ews_client: EwsClient, what: str, status: int = 200, **given: Any) -> Any:
    response = httpx.post(
        f"{ews_client.exchange.control_url}/{what}", json={"mailbox": ADDRESS, **given}, trust_env=False
    )
    assert response.status_code == status
    return response.json()


def look(ews_client: EwsClient, path: str) -> httpx.Response:
    return httpx.get(ews_client.exchange.control_url + path, trust_env=False)


def paths(ews_client: EwsClient) -> list[str]:
    return [folder["path"] for folder in look(ews_client, f"/mailboxes/{ADDRESS}").json()["folders"]]


def test_mail_is_delivered_and_shown(ews_client: EwsClient) -> None:
    made = do(ews_client, "deliver", **NEW)
    assert (made["message_id"], made["folder"], made["class"]) == ("<new@x>", "Inbox", "IPM.Note")
    as_it_is = base64.b64encode(mail("b")).decode()
    do(ews_client, "deliver", mime=as_it_is, folder="Sent Items")
    shown = look(ews_client, f"/mailboxes/{ADDRESS}").json()
    assert [(item["message_id"], item["folder"]) for item in shown["items"]] == [
        ("<new@x>", "Inbox"),
        ("<b@north.example>", "Sent Items"),
    ]
    assert [(box["address"], box["count"]) for box in look(ews_client, "/mailboxes").json()] == [
        (ADDRESS, 2),
        ("ops@bank.example", 0),
    ]
    content = httpx.get(
        f"{ews_client.exchange.control_url}/mime/{ADDRESS}", params={"id": made["id"]}, trust_env=False
    ).content
    assert "Grüße".encode() in content


def test_an_item_is_moved_copied_edited_read_and_deleted(ews_client: EwsClient) -> None:
    first = do(ews_client, "deliver", **NEW)
    moved = do(ews_client, "move", message_id="<new@x>", folder="Sent Items")
    assert (moved["folder"], moved["id"] != first["id"]) == ("Sent Items", True)
    copied = do(ews_client, "copy", id=moved["id"], folder="Inbox")
    do(ews_client, "delete", id=moved["id"], hard=True)
    do(ews_client, "mark-read", id=copied["id"])
    assert ews_client.mailbox.item(copied["id"]).read
    edited = do(ews_client, "edit", id=copied["id"], **{**NEW, "body": "Changed"})
    assert edited["id"] == copied["id"]
    assert b"Changed" in ews_client.mailbox.item(edited["id"]).mail.content()
    do(ews_client, "delete", id=edited["id"])
    assert [
        ews_client.mailbox.path(ews_client.mailbox.folders[item.folder_id]) for item in ews_client.mailbox.items()
    ] == ["Deleted Items"]
    assert [item.read for item in ews_client.mailbox.items()] == [True]
    do(ews_client, "delete", message_id="<new@x>")
    assert list(ews_client.mailbox.items()) == []


def test_folders_are_made_renamed_moved_and_deleted(ews_client: EwsClient) -> None:
    do(ews_client, "create-folder", folder="Trades")
    do(ews_client, "create-folder", folder="Trades/2026")
    do(ews_client, "rename-folder", folder="Trades", name="Deals")
    assert "Deals/2026" in paths(ews_client)
    do(ews_client, "move-folder", folder="Deals", parent="Inbox")
    assert "Inbox/Deals/2026" in paths(ews_client)
    do(ews_client, "delete-folder", folder="Inbox/Deals")
    assert not [path for path in paths(ews_client) if "Deals" in path]


def test_ids_and_sync_states_can_be_made_invalid(ews_client: EwsClient) -> None:
    made = do(ews_client, "deliver", **NEW)
    do(ews_client, "mark-read", id=made["id"])
    do(ews_client, "migrate")
    assert ews_client.codes(get_item(made["id"])) == ["ErrorItemNotFound"]
    assert [item.read for item in ews_client.mailbox.items()] == [True]
    generation = ews_client.mailbox.generation
    do(ews_client, "expire-states")
    do(ews_client, "expire-tokens")
    assert ews_client.mailbox.generation == generation + 1


def test_faults_are_added_and_removed_and_requests_are_counted(ews_client: EwsClient) -> None:
    do(ews_client, "faults", mailbox="*", effect="busy", operation="GetFolder")
    assert ews_client.codes(get_folder()) == ["ErrorServerBusy"]
    assert httpx.delete(f"{ews_client.exchange.control_url}/faults", trust_env=False).status_code == 200
    assert ews_client.codes(get_folder(), **{"User-Agent": "tester/1"}) == ["NoError"]
    seen = look(ews_client, "/requests").json()
    assert seen["operations"] == {"GetFolder": 2}
    assert "tester/1" in seen["user_agents"]


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("explode", {}),
        ("deliver", {"mailbox": "nobody@bank.example", **NEW}),
        ("deliver", {}),
        ("move", {"id": "no such item", "folder": "Inbox"}),
        ("move", {"message_id": "<none@x>", "folder": "Inbox"}),
        ("rename-folder", {"folder": "Nowhere", "name": "x"}),
    ],
)
def test_an_invalid_action_returns_an_error_and_changes_nothing(
    ews_client: EwsClient, what: str, given: dict[str, Any]
) -> None:
    assert do(ews_client, what, 400, **given)["error"]
    assert list(ews_client.mailbox.items()) == []
