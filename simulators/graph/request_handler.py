"""The read operations of Graph that a mail sync needs, for one authenticated account."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from simulators.exchange.changes import ChangeKind, Step, item_step
from simulators.exchange.store import Folder, Item, Mailbox, Store
from simulators.faults import Faults
from simulators.graph import attachments, delta, effects, folders, identifiers, listing, messages, mime, query, users
from simulators.graph.accounts import BODIES, METADATA, Principal
from simulators.graph.errors import Refused, as_json
from simulators.graph.folder_filter import filtered
from simulators.graph.removals import Removals, reported_changes
from simulators.graph.routes import VERSION, Call
from simulators.http import Request, Response

SHAPE = ("$select", "$expand")
OPTIONS: dict[str, tuple[str, ...]] = {
    "list-folders": ("$select", "$filter", "$top", "$skip", "$count", "includeHiddenFolders"),
    "child-folders": ("$select", "$filter", "$top", "$skip", "$count", "includeHiddenFolders"),
    "folder": ("$select",),
    "folders-delta": ("$select", *query.TOKENS),
    "messages": (*SHAPE, "$top", "$skip", "$filter", "$orderby", "$count"),
    "messages-delta": (*SHAPE, "$top", "$filter", "$orderby", "changeType", *query.TOKENS),
    "message": SHAPE,
    "messages-count": ("$filter",),
    "mime": (),
    "attachments": ("$select", "$top", "$skip", "$count"),
    "attachment": ("$select",),
    "attachment-value": (),
    "user": ("$select",),
}
OF_BODIES = {"mime", "attachments", "attachment", "attachment-value"}
"""Operations that are refused to an app that may read only metadata."""
CHANGE_TYPES = {
    "created": {ChangeKind.CREATE},
    "updated": {ChangeKind.UPDATE, ChangeKind.READ},
    "deleted": {ChangeKind.DELETE},
}
FILTERED_MOST = 5000
"""The first listing of a delta query with a `$filter` returns at most this number of the newest messages, as documented."""


@dataclass(frozen=True)
class GraphQuery:
    """A call with the query options and preferences of its request."""

    call: Call
    given: dict[str, str]
    prefer: query.Preferences


@dataclass(frozen=True)
class GraphRequestHandler:
    """Handles the calls of one account. `base`: scheme and host as in the request of the client."""

    store: Store
    faults: Faults
    principal: Principal
    base: str
    links: delta.Links
    filtered_most: int = FILTERED_MOST
    removals: Removals = Removals.DOCUMENTED

    def address(self, call: Call) -> str:
        """The address of the mailbox of a call. Raises `Refused` for `me` with a token of an application."""
        if call.user != "me":
            known = users.find_user(self.store, call.user)
            return known.address if known is not None else call.user
        if self.principal.application:
            raise Refused("BadRequest", "/me request is only valid with delegated authentication flow.")
        return self.principal.name

    def answer(self, call: Call, request: Request) -> Response:
        """The response to a call. Raises `Refused`."""
        tracking = " with change tracking over the 'Messages' resource" if call.operation == "messages-delta" else ""
        given = query.options(request.query, OPTIONS[call.operation], where=tracking)
        asked = GraphQuery(call, given, query.preferences(request.headers))
        if call.operation == "user":
            return as_json(self._user(asked), label=call.operation)
        mailbox = self._mailbox(call)
        if call.operation == "mime":
            return self._mime(mailbox, asked)
        if call.operation == "messages-count":
            return Response(200, str(len(self._found(mailbox, asked))).encode(), "text/plain", label=call.operation)
        if call.operation == "attachment-value":
            item = self._item(mailbox, call)
            return attachments.raw(item, attachments.find_attachment(item, call.attachment))
        with mailbox.lock:
            body = self._body(mailbox, asked)
        return as_json(body, headers=asked.prefer.applied, label=call.operation)

    def _body(self, mailbox: Mailbox, asked: GraphQuery) -> dict[str, Any]:
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
            case "attachments":
                return self._attachments(mailbox, asked)
            case "attachment":
                item = self._item(mailbox, asked.call)
                place = attachments.find_attachment(item, asked.call.attachment)
                return self._context("attachment") | self._attachment(item, place, asked)
        item = self._item(mailbox, asked.call)
        return self._context("message") | self._message(mailbox, item, asked)

    # ---- mailbox and item -----------------------------------------------------------------------------------------

    def _mailbox(self, call: Call) -> Mailbox:
        address = self.address(call)
        if not self.principal.permissions & (BODIES if call.operation in OF_BODIES else METADATA):
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

    def _folder_list(self, mailbox: Mailbox, parent: Folder, asked: GraphQuery) -> dict[str, Any]:
        hidden = asked.given.get("includeHiddenFolders", "").casefold() == "true"
        found = filtered(folders.children(mailbox, parent, hidden=hidden), asked.given.get("$filter", ""))
        top, skip = listing.page(asked.given, asked.prefer.page_size)
        page, more = folders.page_of(found, top, skip)
        select = _folder_select(asked.given)
        answer = self._context("folders") | _count(asked.given, len(found))
        answer["value"] = [folders.folder_json(mailbox, folder, select) for folder in page]
        return answer | self._next(asked, top, skip, more)

    def _folders_delta(self, mailbox: Mailbox, asked: GraphQuery) -> dict[str, Any]:
        round_ = delta.begun_or_resumed(mailbox, delta.TREE, asked.given, self.links)
        select = _folder_select(round_.asked)
        step = folders.tree_step(mailbox, round_.place, asked.prefer.page_size or listing.DEFAULT_TOP)
        rows = [folders.change_json(mailbox, change, select) for change in step.changes]
        return self._tracked("folders", asked, mailbox, replace(round_, place=step.place), rows, step.last)

    # ---- messages -------------------------------------------------------------------------------------------------

    def _message_list(self, mailbox: Mailbox, asked: GraphQuery) -> dict[str, Any]:
        found = self._found(mailbox, asked)
        top, skip = listing.page(asked.given, asked.prefer.page_size)
        answer = self._context("messages") | _count(asked.given, len(found))
        answer["value"] = [self._message(mailbox, item, asked) for item in found[skip : skip + top]]
        return answer | self._next(asked, top, skip, skip + top < len(found))

    def _found(self, mailbox: Mailbox, asked: GraphQuery) -> list[Item]:
        """All messages of a list (not a delta query), before paging."""
        with mailbox.lock:
            items: Iterable[Item] = [item for item in mailbox.items() if not mailbox.folders[item.folder_id].forbidden]
            if asked.call.folder:
                folder = folders.find_folder(mailbox, asked.call.folder)
                folders.check_readable(folder)
                items = folder.items.values()
            return listing.found((item for item in items if item.listed), asked.given)

    def _messages_delta(self, mailbox: Mailbox, asked: GraphQuery) -> dict[str, Any]:
        folder = folders.find_folder(mailbox, asked.call.folder)
        folders.check_readable(folder)
        round_ = delta.begun_or_resumed(mailbox, folder.id, asked.given, self.links)
        _check_round(round_.asked)
        again = replace(asked, given=dict(round_.asked))
        size = asked.prefer.page_size or query.positive("$top", round_.asked.get("$top", str(listing.DEFAULT_TOP)))
        step, items = self._step(folder, round_, size)
        if again.prefer.immutable and (place := round_.place) is not None and "at" in place:
            items = list(reported_changes(mailbox, folder, place["at"], items, self.removals))
        rows = [self._row(mailbox, folder, change, again) for change in items]
        return self._tracked("messages", asked, mailbox, replace(round_, place=step.place), rows, step.last)

    def _step(self, folder: Folder, round_: delta.Round, size: int) -> tuple[Step, list[tuple[ChangeKind, str]]]:
        """The next step of the store, and the changes of this step that the query selects.

        With a `$filter`, the first listing ends after `filtered_most` messages.
        """
        returned = (round_.place or {}).get("listed", 0)
        step = item_step(folder, round_.place, size)
        wanted = [change for change in step.changes if _is_wanted(folder, change, round_.asked)]
        if "after" not in (round_.place or {"after": None}) or "$filter" not in round_.asked:
            return step, wanted
        wanted = wanted[: self.filtered_most - returned]
        returned += len(wanted)
        if returned >= self.filtered_most and "upto" in step.place:
            upto = step.place["upto"]
            return Step(step.changes, {"at": upto}, upto == len(folder.log)), wanted
        return Step(step.changes, step.place | {"listed": returned}, step.last), wanted

    def _row(
        self, mailbox: Mailbox, folder: Folder, change: tuple[ChangeKind, str], asked: GraphQuery
    ) -> dict[str, Any]:
        """One change as JSON."""
        what, item_id = change
        kind = {"@odata.type": "#microsoft.graph.message"}
        if what is not ChangeKind.DELETE:
            return kind | self._message(mailbox, folder.items[item_id], asked)
        gone = identifiers.gone_id(mailbox, item_id, asked.prefer.immutable)
        return kind | {"id": gone, "@removed": {"reason": "deleted"}}

    def _message(self, mailbox: Mailbox, item: Item, asked: GraphQuery) -> dict[str, Any]:
        select, expand = _message_shape(asked.given)
        effects.check_readable(self.faults, asked.call.operation, mailbox, item, (*select, *_expansion(expand)))
        bodies = bool(self.principal.permissions & BODIES)
        return messages.message_json(item, select, expand, immutable=asked.prefer.immutable, bodies=bodies)

    def _mime(self, mailbox: Mailbox, asked: GraphQuery) -> Response:
        """The MIME of a message, rendered without the lock, so that several requests run in parallel."""
        with mailbox.lock:
            item = self._item(mailbox, asked.call)
            effects.check_readable(self.faults, asked.call.operation, mailbox, item, ())
        content = effects.handed_out(self.faults, mailbox, item, mime.rendered(item.mail.content()))
        return Response(200, content, "text/plain", asked.prefer.applied, label="mime")

    # ---- attachments, users ---------------------------------------------------------------------------------------

    def _attachments(self, mailbox: Mailbox, asked: GraphQuery) -> dict[str, Any]:
        item = self._item(mailbox, asked.call)
        places = range(len(attachments.attachments_of(item)))
        top, skip = listing.page(asked.given, asked.prefer.page_size)
        answer = self._context("attachments") | _count(asked.given, len(places))
        answer["value"] = [self._attachment(item, place, asked) for place in places[skip : skip + top]]
        return answer | self._next(asked, top, skip, skip + top < len(places))

    def _attachment(self, item: Item, place: int, asked: GraphQuery) -> dict[str, Any]:
        select = query.selected(asked.given.get("$select", ""), attachments.PROPERTIES, "attachment")
        return attachments.attachment_json(item, place, select, immutable=asked.prefer.immutable)

    def _user(self, asked: GraphQuery) -> dict[str, Any]:
        address = self.address(asked.call)
        own = not self.principal.application and address.casefold() == self.principal.name.casefold()
        users.check_permitted(self.principal, own=own)
        mailbox = users.find_user(self.store, address)
        if mailbox is None:
            raise users.unknown_user(asked.call.user)
        select = query.selected(asked.given.get("$select", ""), users.PROPERTIES, "user")
        return self._context("user") | users.user_json(mailbox, select)

    # ---- links and context ----------------------------------------------------------------------------------------

    def _tracked(
        self,
        kind: str,
        asked: GraphQuery,
        mailbox: Mailbox,
        round_: delta.Round,
        rows: list[dict[str, Any]],
        last: bool,
    ) -> dict[str, Any]:
        name, address = delta.link(self._place_of(asked.call), mailbox, round_, self.links, last=last)
        return self._context(kind) | {name: address, "value": rows}

    def _next(self, asked: GraphQuery, top: int, skip: int, more: bool) -> dict[str, str]:
        if not more:
            return {}
        return {"@odata.nextLink": listing.next_link(self._place_of(asked.call), asked.given, top, skip)}

    def _place_of(self, call: Call) -> str:
        """The URL of a call without its query, with keys in brackets, as in the links of Graph."""
        path = "me" if call.user == "me" else f"users('{quote(call.user)}')"
        folder = f"mailFolders('{quote(call.folder)}')"
        ends = {
            "list-folders": "mailFolders",
            "child-folders": f"{folder}/childFolders",
            "folders-delta": "mailFolders/delta",
            "messages": f"{folder}/messages" if call.folder else "messages",
            "messages-delta": f"{folder}/messages/delta",
            "attachments": f"messages('{quote(call.message)}')/attachments",
        }
        return f"{self.base}/{VERSION}/{path}/{ends[call.operation]}"

    def _context(self, kind: str) -> dict[str, Any]:
        types = {
            "folder": "users('user')/mailFolders/$entity",
            "folders": "Collection(mailFolder)",
            "message": "users('user')/messages/$entity",
            "messages": "Collection(message)",
            "attachment": "users('user')/messages('message')/attachments/$entity",
            "attachments": "users('user')/messages('message')/attachments",
            "user": "users/$entity",
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
    """Raises `Refused` for query options that a delta query does not support."""
    _message_shape(asked)
    query.since(asked.get("$filter", ""))
    if asked.get("$orderby", "receivedDateTime desc") != "receivedDateTime desc":
        raise Refused("ErrorInvalidUrlQuery", "The order is not supported with change tracking.")
    if "changeType" in asked and asked["changeType"] not in CHANGE_TYPES:
        raise Refused("BadRequest", "The value of changeType is not valid.")


def _is_wanted(folder: Folder, change: tuple[ChangeKind, str], asked: Mapping[str, str]) -> bool:
    what, item_id = change
    if "changeType" in asked and what not in CHANGE_TYPES[asked["changeType"]]:
        return False
    since = query.since(asked.get("$filter", ""))
    if what is ChangeKind.DELETE or since is None:
        return True
    operator, begin = since
    return listing.COMPARED[operator](folder.items[item_id].received.timestamp(), begin)


def _count(given: Mapping[str, str], number: int) -> dict[str, int]:
    return {"@odata.count": number} if given.get("$count", "").casefold() == "true" else {}
