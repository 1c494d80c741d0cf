"""Restrictions: the search filters of FindItem and FindFolder.

Comparisons of a text with a constant ignore case, as in Exchange. `t:Contains` can respect or ignore case.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from lxml import etree

from simulators.exchange.contents import contents_of
from simulators.exchange.soap import NS, TYPES, Call, SoapFault
from simulators.exchange.store import Folder, Item

T = TypeVar("T")
Value = str | int | bool | datetime | None
Fields = Mapping[str, Callable[[T], Value]]
ITEM_FIELDS: Fields[Item] = {
    "item:ItemClass": lambda item: item.mail.item_class,
    "item:Subject": lambda item: item.mail.subject,
    "item:DateTimeReceived": lambda item: item.received,
    "item:DateTimeSent": lambda item: contents_of(item.mail).sent or item.received,
    "item:DateTimeCreated": lambda item: item.received,
    "item:LastModifiedTime": lambda item: item.modified,
    "item:Size": lambda item: item.mail.size,
    "item:Importance": lambda item: item.mail.importance,
    "item:Sensitivity": lambda item: item.mail.sensitivity,
    "item:IsDraft": lambda item: item.mail.draft,
    "item:HasAttachments": lambda item: item.mail.has_attachments,
    "item:Categories": lambda item: "; ".join(item.mail.categories),
    "item:InReplyTo": lambda item: contents_of(item.mail).in_reply_to,
    "item:Body": lambda item: contents_of(item.mail).body,
    "message:IsRead": lambda item: item.read,
    "message:InternetMessageId": lambda item: item.mail.message_id,
    "message:ConversationTopic": lambda item: item.mail.topic,
    "message:From": lambda item: _people(contents_of(item.mail).sender),
    "message:Sender": lambda item: _people(contents_of(item.mail).sender),
    "message:ToRecipients": lambda item: _people(contents_of(item.mail).to),
    "message:CcRecipients": lambda item: _people(contents_of(item.mail).cc),
}
FOLDER_FIELDS: Fields[Folder] = {
    "folder:DisplayName": lambda folder: folder.name,
    "folder:FolderClass": lambda folder: folder.folder_class,
    "folder:TotalCount": lambda folder: len(folder.items),
}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "IsEqualTo": operator.eq,
    "IsNotEqualTo": operator.ne,
    "IsGreaterThan": operator.gt,
    "IsGreaterThanOrEqualTo": operator.ge,
    "IsLessThan": operator.lt,
    "IsLessThanOrEqualTo": operator.le,
}
MODES: Mapping[str, Callable[[str, str], bool]] = {
    "FullString": operator.eq,
    "Prefixed": str.startswith,
    "Substring": operator.contains,
    "PrefixOnWords": lambda text, part: any(word.startswith(part) for word in text.split()),
    "ExactPhrase": operator.contains,
}


def item_restriction(call: Call) -> Callable[[Item], bool]:
    """The function that selects items by the restriction of a call. Raises `SoapFault` for an unsupported restriction."""
    return _restriction(call, ITEM_FIELDS)


def folder_restriction(call: Call) -> Callable[[Folder], bool]:
    """The function that selects folders by the restriction of a call. Raises `SoapFault` for an unsupported restriction."""
    return _restriction(call, FOLDER_FIELDS)


def value_of(fields: Fields[T], path: str, code: str) -> Callable[[T], Value]:
    """The function that reads the property of a path. Raises `SoapFault` with `code` for an unsupported path."""
    if path not in fields:
        raise SoapFault(code, f"The property cannot be used here: {path}")
    return fields[path]


def _restriction(call: Call, fields: Fields[T]) -> Callable[[T], bool]:
    element = call.body.find("m:Restriction/*", NS)
    return _condition(element, fields) if element is not None else lambda _: True


def _condition(element: etree._Element, fields: Fields[T]) -> Callable[[T], bool]:
    name = etree.QName(element).localname
    if name in ("And", "Or"):
        inner = [_condition(child, fields) for child in element.iterchildren("*")]
        return (
            (lambda row: all(one(row) for one in inner))
            if name == "And"
            else lambda row: any(one(row) for one in inner)
        )
    if name == "Not":
        negated = _condition(next(element.iterchildren("*")), fields)
        return lambda row: not negated(row)
    read = value_of(fields, _path(element), "ErrorUnsupportedPathForQuery")
    if name == "Exists":
        return lambda row: read(row) not in (None, "")
    if name == "Contains":
        return _contains(element, read)
    if name in COMPARISONS:
        return _comparison(element, read, COMPARISONS[name], fields)
    raise SoapFault("ErrorUnsupportedQueryFilter", f"A search by {name} is not simulated.")


def _contains(element: etree._Element, read: Callable[[T], Value]) -> Callable[[T], bool]:
    mode = MODES[element.get("ContainmentMode", "FullString")]
    with_case = element.get("ContainmentComparison", "Exact") in ("Exact", "IgnoreNonSpacingCharacters")
    wanted = _constant(element)

    def holds(row: T) -> bool:
        text = str(read(row) or "")
        return mode(text, wanted) if with_case else mode(text.casefold(), wanted.casefold())

    return holds


def _comparison(
    element: etree._Element, read: Callable[[T], Value], compare: Callable[[Any, Any], bool], fields: Fields[T]
) -> Callable[[T], bool]:
    other = element.find("t:FieldURIOrConstant/t:FieldURI", NS)
    if other is not None:
        read_other = value_of(fields, other.get("FieldURI", ""), "ErrorUnsupportedPathForQuery")
        return lambda row: compare(read(row), read_other(row))
    text = _constant(element)

    def holds(row: T) -> bool:
        value = read(row)
        if isinstance(value, str):
            return compare(value.casefold(), text.casefold())
        return value is not None and compare(value, _as(type(value), text))

    return holds


def _as(kind: type, text: str) -> Value:
    """The constant as a value of this type. Raises `SoapFault`."""
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text]
        if kind is int:
            return int(text)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (KeyError, ValueError):
        raise SoapFault("ErrorInvalidValueForProperty", "A constant does not fit its property.") from None


def _path(element: etree._Element) -> str:
    path = element.find("t:FieldURI", NS)
    if path is None:
        child = next((etree.QName(child).localname for child in element.iterchildren(f"{{{TYPES}}}*")), "nothing")
        raise SoapFault("ErrorUnsupportedPathForQuery", f"A search by {child} is not simulated.")
    return path.get("FieldURI", "")


def _constant(element: etree._Element) -> str:
    found = element.find("t:FieldURIOrConstant/t:Constant", NS)
    found = element.find("t:Constant", NS) if found is None else found
    if found is None:
        raise SoapFault("ErrorSchemaValidation", "A comparison has no constant.")
    return found.get("Value", "")


def _people(people: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name} <{address}>" for name, address in people)
