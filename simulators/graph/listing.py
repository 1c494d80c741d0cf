"""Lists of messages without change tracking: filter, order and paging with `$top` and `$skip`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlencode

from simulators.exchange.store import Item
from simulators.graph.errors import Refused
from simulators.graph.query import moment, positive

CLAUSE = re.compile(
    r"\A\(?\s*(receivedDateTime|internetMessageId)\s+(ge|gt|le|lt|eq)\s+('(?:[^']|'')*'|[^\s()]+)\s*\)?\Z"
)
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
    "lt": lambda one, other: one < other,
    "eq": lambda one, other: one == other,
}
DEFAULT_TOP = 10


def found(items: Iterable[Item], given: dict[str, str]) -> list[Item]:
    """The messages that match `$filter`, newest first unless `$orderby` requests the opposite order. Raises `Refused`."""
    tests = [_test(clause) for clause in re.split(r"\s+and\s+", given.get("$filter", "")) if clause.strip()]
    order = given.get("$orderby", "receivedDateTime desc").split()
    if [*order, "asc"][:2] not in (["receivedDateTime", "desc"], ["receivedDateTime", "asc"]):
        raise Refused("ErrorInvalidUrlQuery", "The simulator supports only receivedDateTime in $orderby.")
    matching = [item for item in items if all(test(item) for test in tests)]
    return sorted(matching, key=lambda item: (item.received, item.id), reverse="desc" in order)


def page(given: dict[str, str], size: int | None) -> tuple[int, int]:
    """The maximum number of rows of a page, and the number of rows before the page. Raises `Refused`."""
    skip = given.get("$skip", "0")
    if not (skip.isascii() and skip.isdigit()):
        raise Refused("BadRequest", f"Invalid value '{skip}' for $skip.")
    return (positive("$top", given["$top"]) if "$top" in given else size or DEFAULT_TOP), int(skip)


def next_link(base: str, given: dict[str, str], top: int, skip: int) -> str:
    again = given | {"$top": str(top), "$skip": str(skip + top)}
    return f"{base}?{urlencode(again, quote_via=quote, safe='$')}"


def _test(clause: str) -> Callable[[Item], bool]:
    match = CLAUSE.match(clause.strip())
    if match is None or (match[1] == "internetMessageId" and match[2] != "eq"):
        raise Refused("ErrorInvalidUrlQuery", "The filter is not supported by the simulator.")
    if match[1] == "internetMessageId":
        wanted = match[3].strip("'").replace("''", "'")
        return lambda item: item.mail.message_id == wanted
    compare, when = COMPARED[match[2]], moment(match[3])
    return lambda item: compare(item.received.timestamp(), when)
