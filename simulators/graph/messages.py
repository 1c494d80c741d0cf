"""Messages as JSON: the properties of `$select`, and the MAPI properties of `$expand`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from html import escape, unescape
from typing import Any

from simulators.exchange.contents import contents_of
from simulators.exchange.store import Item
from simulators.graph import people
from simulators.graph.errors import Refused
from simulators.graph.identifiers import item_id, shown
from simulators.graph.query import utc

EXPANSION = re.compile(r"\AsingleValueExtendedProperties\s*\(\s*\$filter\s*=\s*(.+)\)\Z", re.IGNORECASE | re.DOTALL)
CLAUSE = re.compile(r"\Aid eq '(String|Integer|Long) 0x([0-9a-f]{1,4})'\Z", re.IGNORECASE)
TAG = re.compile(r"<[^>]*>")
LONGEST_PREVIEW = 255
SENSITIVITIES = ("Normal", "Personal", "Private", "Confidential")
ON_REQUEST = ("internetMessageHeaders", "uniqueBody")
"""Properties that are returned only if they are selected."""
BODIES = {"body", "bodyPreview", "uniqueBody"}
"""Properties that are not returned to an app that may read only metadata."""


@dataclass(frozen=True)
class Shown:
    """An item with the values of its JSON properties. The headers are parsed on first use."""

    item: Item
    immutable: bool

    @cached_property
    def headers(self) -> Message:
        return people.headers_of(self.item.mail)

    @property
    def body(self) -> dict[str, str]:
        """The body as HTML, which is the documented default."""
        contents = contents_of(self.item.mail)
        if contents.body_type == "HTML":
            return {"contentType": "html", "content": contents.body}
        text = escape(contents.body, quote=False).replace("\n", "<br>\n")
        return {"contentType": "html", "content": f"<html><head></head><body>{text}</body></html>"}

    @property
    def preview(self) -> str:
        contents = contents_of(self.item.mail)
        text = TAG.sub(" ", contents.body) if contents.body_type == "HTML" else contents.body
        return " ".join(unescape(text).split())[:LONGEST_PREVIEW]

    def people(self, name: str) -> list[dict[str, Any]]:
        return people.recipients(self.headers, name)

    def person(self, *names: str) -> dict[str, Any] | None:
        return next((found[0] for name in names if (found := self.people(name))), None)

    @property
    def sent(self) -> str:
        try:
            return utc(parsedate_to_datetime(str(self.headers["Date"])).astimezone())
        except (ValueError, TypeError, OverflowError):
            return utc(self.item.received)


def _conversation(shown_item: Shown) -> str:
    return "AAQk" + hashlib.sha512(shown_item.item.mail.topic.casefold().encode()).hexdigest()


PROPERTIES: dict[str, Callable[[Shown], Any]] = {
    "id": lambda it: item_id(it.item, it.immutable),
    "createdDateTime": lambda it: utc(it.item.received),
    "lastModifiedDateTime": lambda it: utc(it.item.modified),
    "changeKey": lambda it: it.item.change_key,
    "categories": lambda it: list(it.item.mail.categories),
    "receivedDateTime": lambda it: utc(it.item.received),
    "sentDateTime": lambda it: it.sent,
    "hasAttachments": lambda it: it.item.mail.has_attachments,
    "internetMessageId": lambda it: it.item.mail.message_id or None,
    "subject": lambda it: it.item.mail.subject,
    "bodyPreview": lambda it: it.preview,
    "importance": lambda it: it.item.mail.importance.casefold(),
    "parentFolderId": lambda it: shown(it.item.folder_id),
    "conversationId": _conversation,
    "isDeliveryReceiptRequested": lambda it: None,
    "isReadReceiptRequested": lambda it: "Disposition-Notification-To" in it.headers,
    "isRead": lambda it: it.item.read,
    "isDraft": lambda it: it.item.mail.draft,
    "webLink": lambda it: f"https://outlook.office365.com/owa/?ItemID={shown(it.item.id)}",
    "inferenceClassification": lambda it: "focused",
    "body": lambda it: it.body,
    "sender": lambda it: it.person("Sender", "From"),
    "from": lambda it: it.person("From"),
    "toRecipients": lambda it: it.people("To"),
    "ccRecipients": lambda it: it.people("Cc"),
    "bccRecipients": lambda it: it.people("Bcc"),
    "replyTo": lambda it: it.people("Reply-To"),
    "flag": lambda it: {"flagStatus": "notFlagged"},
    "internetMessageHeaders": lambda it: people.header_list(it.headers),
    "uniqueBody": lambda it: it.body,
}
"""The properties of v1.0, in the order of the JSON."""

EXTENDED: dict[int, tuple[str, Callable[[Item], str]]] = {
    0x001A: ("String", lambda item: item.mail.item_class),
    0x0036: ("Integer", lambda item: str(SENSITIVITIES.index(item.mail.sensitivity))),
    0x0070: ("String", lambda item: item.mail.topic),
    0x0E08: ("Integer", lambda item: str(item.mail.size)),
    0x1035: ("String", lambda item: item.mail.message_id),
}
"""Type and value of MAPI properties by tag.

The properties are PidTagMessageClass, PidTagSensitivity, PidTagConversationTopic, PidTagMessageSize and
PidTagInternetMessageId.
"""
MESSAGE_SIZE = 0x0E08
"""The tag of PidTagMessageSize. This property can be requested as a Long, too."""


def message_json(
    item: Item, select: Collection[str], expand: Collection[str] = (), *, immutable: bool, bodies: bool = True
) -> dict[str, Any]:
    """A message as JSON.

    Args:
        select: Names of properties; empty: all except `ON_REQUEST`.
        expand: Ids of extended properties.
        immutable: Return the immutable id instead of the regular id.
        bodies: The app may read bodies.
    """
    it = Shown(item, immutable)
    names = (
        [name for name in PROPERTIES if name in select] if select else [n for n in PROPERTIES if n not in ON_REQUEST]
    )
    values = {name: PROPERTIES[name](it) for name in names if bodies or name not in BODIES}
    values["id"] = PROPERTIES["id"](it)
    extended = [{"id": name, "value": value} for name in expand if (value := _extended(item, name))]
    if extended:
        values["singleValueExtendedProperties"] = extended
    return {"@odata.etag": f'W/"{item.change_key}"'} | values


def expanded(text: str) -> tuple[str, ...]:
    """The ids of extended properties in `$expand`, spelled as in a response. Raises `Refused`."""
    if not text:
        return ()
    match = EXPANSION.match(text.strip())
    if match is None:
        raise Refused(
            "RequestBroker--ParseUri", "The simulator supports only singleValueExtendedProperties in $expand."
        )
    clauses = [CLAUSE.match(clause.strip()) for clause in re.split(r"\s+or\s+", match[1], flags=re.IGNORECASE)]
    if not all(clauses):
        raise Refused("ErrorInvalidUrlQueryFilter", "The filter of the expansion is not valid.", status=400)
    return tuple(f"{clause[1].capitalize()} 0x{int(clause[2], 16):x}" for clause in clauses if clause)


def _extended(item: Item, name: str) -> str:
    """The value of an extended property; blank if the item has no property with this tag and type."""
    kind, _, number = name.partition(" ")
    tag = int(number, 16)
    own_kind, value = EXTENDED.get(tag, ("", lambda _: ""))
    fits = kind == own_kind or (tag == MESSAGE_SIZE and kind == "Long")
    return value(item) if fits else ""
