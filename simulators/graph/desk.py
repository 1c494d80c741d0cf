"""The readings of Graph that a mail sync needs, answered for one principal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from simulators.exchange.changes import Step, What, item_step
from simulators.exchange.store import Folder, Item, Mailbox, Store
from simulators.faults import Faults
from simulators.graph import delta, effects, folders, identifiers, listing, messages, mime, query
from simulators.graph.accounts import BODIES, METADATA, Principal
from simulators.graph.errors import Refused, as_json
from simulators.graph.routes import VERSION, Call
from simulators.http import Request, Response

SHAPE = ("$select", "$expand")
OPTIONS: dict[str, tuple[str, ...]] = {
    "list-folders": ("$select", "$top", "$skip", "$count", "includeHiddenFolders"),
    "child-folders": ("$select", "$top", "$skip", "$count", "includeHiddenFolders"),
    "folder": ("$select",),
    "folders-delta": ("$select", *query.TOKENS),
    "messages": (*SHAPE, "$top", "$skip", "$filter", "$orderby", "$count"),
    "messages-delta": (*SHAPE, "$top", "$filter", "$orderby", "changeType", *query.TOKENS),
    "message": SHAPE,
    "mime": (),
}
CHANGE_TYPES = {"created": {What.CREATE}, "updated": {What.UPDATE, What.READ}, "deleted": {What.DELETE}}
FILTERED_MOST = 5000
"""Messages that the first listing of a delta with a `$filter` tells: older ones are not told, as Microsoft documents."""


@dataclass(frozen=True)
class Asked:
    """A call with all that its request says beside the path."""

    call: Call
    given: dict[str, str]
    prefer: query.Preferences


@dataclass(frozen=True)
class Desk:
    """Answers the calls of one principal. `base` is scheme and host as the client called them."""

    store: Store
    faults: Faults
    principal: Principal
    base: str
    links: delta.Links
    filtered_most: int = FILTERED_MOST

    def address(self, call: Call) -> str:
        """Whose mailbox a call is about. Raises `Refused` for `me` without a user."""
        if call.user != "me":
            return call.user
        if self.principal.application:
            raise Refused("BadRequest", "/me request is only valid with delegated authentication flow.")
        return self.principal.name

    def answer(self, call: Call, request: Request) -> Response:
        """Raises `Refused`."""
        tracking = " with change tracking over the 'Messages' resource" if call.operation == "messages-delta" else ""
        given = query.options(request.query, OPTIONS[call.operation], where=tracking)
        asked = Asked(call, given, query.preferences(request.headers))
        mailbox = self._mailbox(call)
        if call.operation == "mime":
            return self._mime(mailbox, asked)
        with mailbox.lock:
            body = self._body(mailbox, asked)
        return as_json(body, headers=asked.prefer.applied, label=call.operation)

    def _body(self, mailbox: Mailbox, asked: Asked) -> dict[str, Any]:
        match asked.call.operation:
            case "list-folders":
                return self._folder_list(mailbox, mailbox.root, asked)
            case "child-folders":
                return self._folder_list(mailbox, folders.find_folder(mailbox, asked.call.folder), asked)
            case "folder":
                folder = folders.find_folder(mailbox, asked.call.folder)
                return self._context("folder") | folders.folder_json(mailbox, folder, _folder_select(asked.given))
            case "folders-delta":
                return self._folders_delta(mailbox, asked)
            case "messages":
                return self._message_list(mailbox, asked)
            case "messages-delta":
                return self._messages_delta(mailbox, asked)
        item = self._item(mailbox, asked.call)
        return self._context("message") | self._message(mailbox, item, asked)

    # ---- whose, and what ------------------------------------------------------------------------------------------

    def _mailbox(self, call: Call) -> Mailbox:
        address = self.address(call)
        if not self.principal.permissions & (BODIES if call.operation == "mime" else METADATA):
            raise Refused("ErrorAccessDenied")
        mailbox = self.store.get(address)
        if mailbox is None:
            raise Refused("ErrorInvalidUser", f"The requested user '{address}' is invalid.")
        if not self.principal.reads(mailbox.address):
            raise Refused("ErrorAccessDenied")
        return mailbox

    def _item(self, mailbox: Mailbox, call: Call) -> Item:
        item = identifiers.find_item(mailbox, call.message)
        if call.folder and folders.find_folder(mailbox, call.folder).id != item.folder_id:
            raise Refused("ErrorItemNotFound")
        folders.check_readable(mailbox.folders[item.folder_id])
        return item

    # ---- folders --------------------------------------------------------------------------------------------------

    def _folder_list(self, mailbox: Mailbox, parent: Folder, asked: Asked) -> dict[str, Any]:
        found = folders.children(mailbox, parent)
        top, skip = listing.page(asked.given, asked.prefer.page_size)
        page, more = folders.page_of(found, top, skip)
        select = _folder_select(asked.given)
        answer = self._context("folders") | _count(asked.given, len(found))
        answer["value"] = [folders.folder_json(mailbox, folder, select) for folder in page]
        return answer | self._next(asked, top, skip, more)

    def _folders_delta(self, mailbox: Mailbox, asked: Asked) -> dict[str, Any]:
        round_ = delta.begun_or_resumed(mailbox, delta.TREE, asked.given, self.links)
        select = _folder_select(round_.asked)
        step = folders.tree_step(mailbox, round_.place, asked.prefer.page_size or listing.DEFAULT_TOP)
        rows = [folders.change_json(mailbox, change, select) for change in step.changes]
        return self._tracked("folders", asked, mailbox, replace(round_, place=step.place), rows, step.last)

    # ---- messages -------------------------------------------------------------------------------------------------

    def _message_list(self, mailbox: Mailbox, asked: Asked) -> dict[str, Any]:
        items: Iterable[Item] = [item for item in mailbox.items() if not mailbox.folders[item.folder_id].forbidden]
        if asked.call.folder:
            folder = folders.find_folder(mailbox, asked.call.folder)
            folders.check_readable(folder)
            items = folder.items.values()
        found = listing.found((item for item in items if item.listed), asked.given)
        top, skip = listing.page(asked.given, asked.prefer.page_size)
        answer = self._context("messages") | _count(asked.given, len(found))
        answer["value"] = [self._message(mailbox, item, asked) for item in found[skip : skip + top]]
        return answer | self._next(asked, top, skip, skip + top < len(found))

    def _messages_delta(self, mailbox: Mailbox, asked: Asked) -> dict[str, Any]:
        folder = folders.find_folder(mailbox, asked.call.folder)
        folders.check_readable(folder)
        round_ = delta.begun_or_resumed(mailbox, folder.id, asked.given, self.links)
        _check_round(round_.asked)
        again = replace(asked, given=dict(round_.asked))
        size = asked.prefer.page_size or query.positive("$top", round_.asked.get("$top", str(listing.DEFAULT_TOP)))
        step, items = self._step(folder, round_, size)
        rows = [row for change in items if (row := self._row(mailbox, folder, change, again)) is not None]
        return self._tracked("messages", asked, mailbox, replace(round_, place=step.place), rows, step.last)

    def _step(self, folder: Folder, round_: delta.Round, size: int) -> tuple[Step, list[tuple[What, str]]]:
        """The next changes, and those of them that the query asks for."""
        told = (round_.place or {}).get("listed", 0)
        step = item_step(folder, round_.place, size)
        wanted = [change for change in step.changes if _is_wanted(folder, change, round_.asked)]
        if "told" not in (round_.place or {"told": None}) or "$filter" not in round_.asked:
            return step, wanted
        wanted = wanted[: self.filtered_most - told]
        told += len(wanted)
        if told >= self.filtered_most and "upto" in step.place:
            upto = step.place["upto"]
            return Step(step.changes, {"at": upto}, upto == len(folder.log)), wanted
        return Step(step.changes, step.place | {"listed": told}, step.last), wanted

    def _row(self, mailbox: Mailbox, folder: Folder, change: tuple[What, str], asked: Asked) -> dict[str, Any] | None:
        """One change as a row. None for an immutable id that left the folder and is back in it."""
        what, item_id = change
        kind = {"@odata.type": "#microsoft.graph.message"}
        if what is not What.DELETE:
            return kind | self._message(mailbox, folder.items[item_id], asked)
        immutable = asked.prefer.immutable
        if immutable:
            now = mailbox.find_immutable(mailbox.immutable_id(item_id))
            if now is not None and now.folder_id == folder.id:
                return None
        gone = identifiers.gone_id(mailbox, item_id, immutable)
        return kind | {"id": gone, "@removed": {"reason": "deleted"}}

    def _message(self, mailbox: Mailbox, item: Item, asked: Asked) -> dict[str, Any]:
        select, expand = _message_shape(asked.given)
        effects.check_readable(self.faults, asked.call.operation, mailbox, item, (*select, *_expansion(expand)))
        bodies = bool(self.principal.permissions & BODIES)
        return messages.message_json(item, select, expand, immutable=asked.prefer.immutable, bodies=bodies)

    def _mime(self, mailbox: Mailbox, asked: Asked) -> Response:
        """Rendered without the lock: several at once are what a client wants."""
        with mailbox.lock:
            item = self._item(mailbox, asked.call)
            effects.check_readable(self.faults, asked.call.operation, mailbox, item, ())
        return Response(200, mime.rendered(item.mail.content()), "text/plain", asked.prefer.applied, label="mime")

    # ---- around the content ---------------------------------------------------------------------------------------

    def _tracked(
        self, kind: str, asked: Asked, mailbox: Mailbox, round_: delta.Round, rows: list[dict[str, Any]], last: bool
    ) -> dict[str, Any]:
        name, address = delta.link(self._place_of(asked.call), mailbox, round_, self.links, last=last)
        return self._context(kind) | {name: address, "value": rows}

    def _next(self, asked: Asked, top: int, skip: int, more: bool) -> dict[str, str]:
        if not more:
            return {}
        return {"@odata.nextLink": listing.next_link(self._place_of(asked.call), asked.given, top, skip)}

    def _place_of(self, call: Call) -> str:
        """The address of a call without its query, with keys in brackets, as Graph spells it in links."""
        path = "me" if call.user == "me" else f"users('{quote(call.user)}')"
        folder = f"mailFolders('{quote(call.folder)}')"
        ends = {
            "list-folders": "mailFolders",
            "child-folders": f"{folder}/childFolders",
            "folders-delta": "mailFolders/delta",
            "messages": f"{folder}/messages" if call.folder else "messages",
            "messages-delta": f"{folder}/messages/delta",
        }
        return f"{self.base}/{VERSION}/{path}/{ends[call.operation]}"

    def _context(self, kind: str) -> dict[str, Any]:
        types = {
            "folder": "users('user')/mailFolders/$entity",
            "folders": "Collection(mailFolder)",
            "message": "users('user')/messages/$entity",
            "messages": "Collection(message)",
        }
        return {"@odata.context": f"{self.base}/{VERSION}/$metadata#{types[kind]}"}


def _folder_select(given: Mapping[str, str]) -> tuple[str, ...]:
    return query.selected(given.get("$select", ""), folders.PROPERTIES, "mailFolder")


def _message_shape(given: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    select = query.selected(given.get("$select", ""), messages.PROPERTIES, "message")
    return select, messages.expanded(given.get("$expand", ""))


def _expansion(expand: Collection[str]) -> tuple[str, ...]:
    return ("singleValueExtendedProperties",) if expand else ()


def _check_round(asked: Mapping[str, str]) -> None:
    """Raises `Refused` where a delta is asked for what it cannot do."""
    _message_shape(asked)
    query.since(asked.get("$filter", ""))
    if asked.get("$orderby", "receivedDateTime desc") != "receivedDateTime desc":
        raise Refused("ErrorInvalidUrlQuery", "The order is not supported with change tracking.")
    if "changeType" in asked and asked["changeType"] not in CHANGE_TYPES:
        raise Refused("BadRequest", "The value of changeType is not valid.")


def _is_wanted(folder: Folder, change: tuple[What, str], asked: Mapping[str, str]) -> bool:
    what, item_id = change
    if "changeType" in asked and what not in CHANGE_TYPES[asked["changeType"]]:
        return False
    since = query.since(asked.get("$filter", ""))
    if what is What.DELETE or since is None:
        return True
    operator, begin = since
    return listing.COMPARED[operator](folder.items[item_id].received.timestamp(), begin)


def _count(given: Mapping[str, str], number: int) -> dict[str, int]:
    return {"@odata.count": number} if given.get("$count", "").casefold() == "true" else {}
