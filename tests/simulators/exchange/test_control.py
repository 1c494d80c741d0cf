"""The control endpoint, by which another process lets things happen to the mailboxes and looks what became of them."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.mails import mail
from tests.simulators.exchange.conftest import ADDRESS, Asker, get_folder, get_item

NEW = {"subject": "Hello", "body": "Grüße", "message_id": "<new@x>"}


def do(asker: Asker, what: str, status: int = 200, **given: Any) -> Any:
    response = httpx.post(f"{asker.exchange.control_url}/{what}", json={"mailbox": ADDRESS, **given}, trust_env=False)
    assert response.status_code == status
    return response.json()


def look(asker: Asker, path: str) -> httpx.Response:
    return httpx.get(asker.exchange.control_url + path, trust_env=False)


def paths(asker: Asker) -> list[str]:
    return [folder["path"] for folder in look(asker, f"/mailboxes/{ADDRESS}").json()["folders"]]


def test_mail_is_delivered_and_shown(asker: Asker) -> None:
    made = do(asker, "deliver", **NEW)
    assert (made["message_id"], made["folder"], made["class"]) == ("<new@x>", "Inbox", "IPM.Note")
    as_it_is = base64.b64encode(mail("b")).decode()
    do(asker, "deliver", mime=as_it_is, folder="Sent Items")
    shown = look(asker, f"/mailboxes/{ADDRESS}").json()
    assert [(item["message_id"], item["folder"]) for item in shown["items"]] == [
        ("<new@x>", "Inbox"),
        ("<b@north.example>", "Sent Items"),
    ]
    assert [(box["address"], box["count"]) for box in look(asker, "/mailboxes").json()] == [
        (ADDRESS, 2),
        ("ops@bank.example", 0),
    ]
    content = httpx.get(
        f"{asker.exchange.control_url}/mime/{ADDRESS}", params={"id": made["id"]}, trust_env=False
    ).content
    assert "Grüße".encode() in content


def test_an_item_is_moved_copied_edited_read_and_deleted(asker: Asker) -> None:
    first = do(asker, "deliver", **NEW)
    moved = do(asker, "move", message_id="<new@x>", folder="Sent Items")
    assert (moved["folder"], moved["id"] != first["id"]) == ("Sent Items", True)
    copied = do(asker, "copy", id=moved["id"], folder="Inbox")
    do(asker, "delete", id=moved["id"], hard=True)
    do(asker, "mark-read", id=copied["id"])
    assert asker.mailbox.item(copied["id"]).read
    edited = do(asker, "edit", id=copied["id"], **{**NEW, "body": "Changed"})
    assert edited["id"] == copied["id"]
    assert b"Changed" in asker.mailbox.item(edited["id"]).mail.content()
    do(asker, "delete", id=edited["id"])
    assert [asker.mailbox.path(asker.mailbox.folders[item.folder_id]) for item in asker.mailbox.items()] == [
        "Deleted Items"
    ]
    assert [item.read for item in asker.mailbox.items()] == [True]
    do(asker, "delete", message_id="<new@x>")
    assert list(asker.mailbox.items()) == []


def test_folders_are_made_renamed_moved_and_deleted(asker: Asker) -> None:
    do(asker, "create-folder", folder="Trades")
    do(asker, "create-folder", folder="Trades/2026")
    do(asker, "rename-folder", folder="Trades", name="Deals")
    assert "Deals/2026" in paths(asker)
    do(asker, "move-folder", folder="Deals", parent="Inbox")
    assert "Inbox/Deals/2026" in paths(asker)
    do(asker, "delete-folder", folder="Inbox/Deals")
    assert not [path for path in paths(asker) if "Deals" in path]


def test_ids_states_and_tokens_can_be_made_void(asker: Asker) -> None:
    made = do(asker, "deliver", **NEW)
    do(asker, "mark-read", id=made["id"])
    do(asker, "migrate")
    assert asker.codes(get_item(made["id"])) == ["ErrorItemNotFound"]
    assert [item.read for item in asker.mailbox.items()] == [True]
    generation = asker.mailbox.generation
    do(asker, "expire-states")
    do(asker, "expire-tokens")
    assert asker.mailbox.generation == generation + 1


def test_faults_come_and_go_and_requests_are_counted(asker: Asker) -> None:
    do(asker, "faults", mailbox="*", effect="busy", operation="GetFolder")
    assert asker.codes(get_folder()) == ["ErrorServerBusy"]
    assert httpx.delete(f"{asker.exchange.control_url}/faults", trust_env=False).status_code == 200
    assert asker.codes(get_folder(), **{"User-Agent": "tester/1"}) == ["NoError"]
    seen = look(asker, "/requests").json()
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
def test_what_cannot_be_done_is_said_and_changes_nothing(asker: Asker, what: str, given: dict[str, Any]) -> None:
    assert do(asker, what, 400, **given)["error"]
    assert list(asker.mailbox.items()) == []
