"""The control endpoint, for a test or program in another process: contents of the mailboxes as JSON, and changes to them.

GET    /mailboxes                 [{"address", "folders": [{"path", "count", "distinguished"}], "count"}]
GET    /mailboxes/<address>       one mailbox, also with "items": [{"id", "message_id", "folder", "received", "size", "class"}]
GET    /mime/<address>?id=…       the MIME of one item
GET    /requests                  {"operations": {name: count}, "user_agents": [...], "tokens": n}
POST   /deliver                   {"mailbox", "folder", "mime" (base64) or "subject", "body", "message_id",
                                  "sender", "date", "reported", "listed" (see `Mailbox.deliver`)}
POST   /move, /copy               {"mailbox", "id" or "message_id", "folder"}
POST   /edit                      {"mailbox", "id" or "message_id", "mime" (base64) or the other keys of an email in /deliver}
POST   /delete                    {"mailbox", "id" or "message_id", "hard": false}
POST   /mark-read                 {"mailbox", "id" or "message_id", "read": true}
POST   /create-folder             {"mailbox", "folder", "class": "IPF.Note", "hidden": false}
POST   /rename-folder             {"mailbox", "folder", "name"}
POST   /delete-folder             {"mailbox", "folder"}        POST /move-folder   {"mailbox", "folder", "parent"}
POST   /forbid-folder             {"mailbox", "folder", "forbidden": true, "code": "ErrorAccessDenied"}: visible in the tree,
                                  but not readable
POST   /hide-folder               {"mailbox", "folder", "hidden": true}
POST   /migrate                   {"mailbox"}: see `Mailbox.migrate`
POST   /lie-on                    {"mailbox", "server"}: move the mailbox to a server; `server` is its build
POST   /expire-states             {"mailbox"}: make all sync states of the mailbox invalid
POST   /expire-tokens             make all bearer tokens invalid
POST   /faults                    {"effect", "operation", "mailbox", "times", "after", …}   DELETE /faults
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from simulators.exchange.mailfiles import mail_of
from simulators.exchange.store import Item, Mailbox, Store
from simulators.exchange.times import utc
from simulators.faults import Faults
from simulators.http import Request, Response


class SeenRequest(Protocol):
    @property
    def operation(self) -> str: ...
    @property
    def user_agent(self) -> str: ...


class Controlled(Protocol):
    """A simulator with a mail store: Exchange or Graph."""

    store: Store
    faults: Faults

    @property
    def requests(self) -> Sequence[SeenRequest]: ...
    @property
    def tokens_issued(self) -> int: ...
    def expire_tokens(self) -> None: ...


class Control:
    def __init__(self, simulator: Controlled) -> None:
        self._simulator = simulator

    def answer(self, request: Request) -> Response:
        parts = tuple(unquote(part) for part in request.path.strip("/").split("/"))
        try:
            if request.method == "GET" and parts[0] == "mime":
                item = self._mailbox(parts[1]).item(request.query["id"][0])
                return Response(200, item.mail.content(), "message/rfc822")
            return _json(200, self._answer(request, parts))
        except (KeyError, ValueError, TypeError, IndexError, StopIteration) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _answer(self, request: Request, parts: tuple[str, ...]) -> Any:
        match request.method, *parts:
            case "GET", "mailboxes":
                return [_mailbox(mailbox) for mailbox in self._simulator.store]
            case "GET", "mailboxes", address:
                mailbox = self._mailbox(address)
                return _mailbox(mailbox) | {"items": [_item(mailbox, item) for item in mailbox.items()]}
            case "GET", "requests":
                seen = self._simulator.requests
                return {
                    "operations": Counter(request.operation for request in seen),
                    "user_agents": sorted({request.user_agent for request in seen}),
                    "tokens": self._simulator.tokens_issued,
                }
            case "DELETE", "faults":
                self._simulator.faults.clear()
                return {}
            case "POST", what:
                return self._do(what, json.loads(request.body or b"{}"))
        raise ValueError("no such endpoint; see the docstring of simulators.exchange.control")

    def _do(self, what: str, given: dict[str, Any]) -> Any:
        if what == "faults":
            self._simulator.faults.add(**given)
            return {}
        if what == "expire-tokens":
            self._simulator.expire_tokens()
            return {}
        mailbox = self._mailbox(given["mailbox"])
        item = _change_item(what, mailbox, given)
        if item is None:
            _change_mailbox(what, mailbox, given)
        return _item(mailbox, item) if item else {}

    def _mailbox(self, address: str) -> Mailbox:
        found = self._simulator.store.get(address)
        if found is None:
            raise KeyError(address)
        return found


def _change_item(what: str, mailbox: Mailbox, given: dict[str, Any]) -> Item | None:
    """Deliver, move, copy or edit an item. Returns the item; None for all other actions."""
    match what:
        case "deliver":
            flags = {name: bool(given[name]) for name in ("reported", "listed") if name in given}
            return mailbox.deliver(mail_of(_mime(given)), given.get("folder", "Inbox"), **flags)
        case "move":
            return mailbox.move(_id(mailbox, given), given["folder"])
        case "copy":
            return mailbox.copy(_id(mailbox, given), given["folder"])
        case "edit":
            return mailbox.edit(_id(mailbox, given), mail_of(_mime(given)))
    return None


def _change_mailbox(what: str, mailbox: Mailbox, given: dict[str, Any]) -> None:
    match what:
        case "delete":
            mailbox.delete(_id(mailbox, given), hard=bool(given.get("hard")))
        case "mark-read":
            mailbox.mark_read(_id(mailbox, given), bool(given.get("read", True)))
        case "migrate":
            mailbox.migrate()
        case "lie-on":
            mailbox.server = str(given["server"])
        case "expire-states":
            mailbox.expire_sync_states()
        case _:
            _change_folder(what, mailbox, given)


def _change_folder(what: str, mailbox: Mailbox, given: dict[str, Any]) -> None:
    match what:
        case "create-folder":
            folder_class, hidden = given.get("class", "IPF.Note"), bool(given.get("hidden"))
            mailbox.create_folder(given["folder"], folder_class, hidden=hidden)
        case "hide-folder":
            mailbox.hide_folder(given["folder"], hidden=bool(given.get("hidden", True)))
        case "rename-folder":
            mailbox.rename_folder(given["folder"], given["name"])
        case "move-folder":
            mailbox.move_folder(given["folder"], given["parent"])
        case "delete-folder":
            mailbox.delete_folder(given["folder"])
        case "forbid-folder":
            forbidden, code = bool(given.get("forbidden", True)), given.get("code", "ErrorAccessDenied")
            mailbox.forbid_folder(given["folder"], forbidden=forbidden, code=code)
        case _:
            raise ValueError(f"no such endpoint: {what}")


def _id(mailbox: Mailbox, given: dict[str, Any]) -> str:
    return str(given["id"]) if "id" in given else mailbox.find(given["message_id"])[0].id


def _mime(given: dict[str, Any]) -> bytes:
    if "mime" in given:
        return base64.b64decode(given["mime"])
    lines = [
        f"From: {given.get('sender', 'Ann Field <ann@north.example>')}",
        f"To: {given['mailbox']}",
        f"Subject: {given['subject']}",
        f"Date: {given.get('date', 'Mon, 02 Mar 2026 09:00:00 +0000')}",
        f"Message-ID: {given['message_id']}",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 8bit",
        "",
        given.get("body", ""),
    ]
    return "\r\n".join(lines).encode()


def _mailbox(mailbox: Mailbox) -> dict[str, Any]:
    with mailbox.lock:
        folders = [
            {"path": mailbox.path(folder), "count": len(folder.items), "distinguished": folder.distinguished}
            for folder in mailbox.folders.values()
        ]
    return {"address": mailbox.address, "folders": folders, "count": sum(folder["count"] for folder in folders)}


def _item(mailbox: Mailbox, item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "message_id": item.mail.message_id,
        "folder": mailbox.path(mailbox.folders[item.folder_id]),
        "received": utc(item.received),
        "size": item.mail.size,
        "class": item.mail.item_class,
    }


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), label="control")
