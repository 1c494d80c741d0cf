"""Parses the query options of a request by the rules of Graph, and its `Prefer` headers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message

from simulators.graph.errors import Refused

MOST = 1000
SINCE = re.compile(r"\AreceivedDateTime (ge|gt) (\S+)\Z", re.IGNORECASE)
TOKENS = ("$skiptoken", "$deltatoken")


@dataclass(frozen=True)
class Preferences:
    """The values of the `Prefer` headers of one request."""

    immutable: bool = False
    page_size: int | None = None

    @property
    def applied(self) -> tuple[tuple[str, str], ...]:
        applied = ['IdType="ImmutableId"'] if self.immutable else []
        applied += [f"odata.maxpagesize={self.page_size}"] if self.page_size else []
        return (("Preference-Applied", ", ".join(applied)),) if applied else ()


def preferences(headers: Message) -> Preferences:
    texts = [part.strip() for value in headers.get_all("Prefer") or [] for part in value.split(",")]
    given = {name.strip().casefold(): value.strip(' "') for name, _, value in (text.partition("=") for text in texts)}
    size = given.get("odata.maxpagesize")
    page_size = positive("odata.maxpagesize", size) if size is not None else None
    return Preferences(given.get("idtype", "").casefold() == "immutableid", page_size)


def options(query: Mapping[str, list[str]], allowed: Collection[str], *, where: str = "") -> dict[str, str]:
    """The options by name. Raises `Refused` for a repeated option, and for an option with `$` that is not in `allowed`."""
    found: dict[str, str] = {}
    for name, values in query.items():
        if name not in allowed:
            if not name.startswith("$"):
                continue
            text = f"The following parameters are not supported{where}: '{name}'."
            raise Refused("ErrorInvalidUrlQuery", text)
        if len(values) > 1:
            raise Refused("BadRequest", f"Query option '{name}' was specified more than once.")
        found[name] = values[0]
    return found


def selected(text: str, known: Collection[str], kind: str) -> tuple[str, ...]:
    """The properties in `$select`, in the spelling of Graph; empty without `$select`. Raises `Refused`."""
    spelling = {name.casefold(): name for name in known}
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name.casefold() not in spelling:
            text = f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            raise Refused("RequestBroker--ParseUri", text)
    return tuple(spelling[name.casefold()] for name in names)


def since(text: str) -> tuple[str, float] | None:
    """Operator and Unix time of the `$filter` of a delta query; None without a filter.

    Raises `Refused` for an invalid filter.
    """
    if not text:
        return None
    match = SINCE.match(text.strip())
    if match is None:
        raise Refused("ErrorInvalidUrlQuery", "The filter is not supported with change tracking.")
    return match[1].casefold(), moment(match[2])


def moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("BadRequest", f"Invalid filter clause: '{text}' is not a date.") from None
    if found.tzinfo is None:
        raise Refused("BadRequest", "Invalid filter clause: the date has no zone.")
    return found.astimezone(UTC).timestamp()


def positive(name: str, text: str) -> int:
    """Parse a positive number; a number above `MOST` becomes `MOST`. Raises `Refused`."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise Refused("BadRequest", f"Invalid value '{text}' for {name}.")
    return min(int(text), MOST)


def utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
