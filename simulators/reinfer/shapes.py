"""A few small checks that add up to the strict shape of a JSON body, and say where it broke but never what stood there.

A check takes a value and the place it was found at, and returns nothing or raises `Misshapen`. The messages name
places and limits only: they end up in logs and on screens of people who must not read the mail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Check = Callable[[Any, str], None]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_KEY_SHOWN = 64


class Misshapen(ValueError):
    """A value breaks the contract. The text names its place and the rule, never the value."""

    def __init__(self, place: str, rule: str) -> None:
        super().__init__(f"{place}: {rule}")


def parse_json(body: bytes) -> Any:
    """Read a JSON body more strictly than the language does: no NaN, no key twice, no bottomless nesting.

    Raises `Misshapen`.
    """
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_without_doubles)
    except Misshapen:
        raise
    except (ValueError, RecursionError) as error:
        raise Misshapen("body", "is not JSON in UTF-8") from error


def text(least: int = 0, most: int | None = None, pattern: str | None = None, rule: str = "") -> Check:
    """A string of so many characters (code points), and of that pattern if one is given."""
    compiled = re.compile(pattern, re.ASCII) if pattern else None

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str):
            raise Misshapen(place, "must be a string")
        if len(value) < least or (most is not None and len(value) > most):
            raise Misshapen(place, _bounds("characters", least, most))
        if compiled and not compiled.fullmatch(value):
            raise Misshapen(place, rule or f"must match {pattern}")
        if "\0" in value or not _is_unicode(value):
            raise Misshapen(place, "must be Unicode text without NUL")

    return check


def whole_number(least: int = 0, most: int | None = None) -> Check:
    def check(value: Any, place: str) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            raise Misshapen(
                place, f"must be a whole number of at least {least}" + (f" and at most {most}" if most else "")
            )

    return check


def nullable(check: Check) -> Check:
    return lambda value, place: None if value is None else check(value, place)


def flag(value: Any, place: str) -> None:
    if not isinstance(value, bool):
        raise Misshapen(place, "must be true or false")


def one_of(*choices: str) -> Check:
    def check(value: Any, place: str) -> None:
        if value not in choices or not isinstance(value, str):
            raise Misshapen(place, f"must be one of {', '.join(choices)}")

    return check


def array(item: Check, most: int, least: int = 0) -> Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, list):
            raise Misshapen(place, "must be an array")
        if not least <= len(value) <= most:
            raise Misshapen(place, _bounds("elements", least, most))
        for index, element in enumerate(value):
            item(element, f"{place}[{index}]")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with these keys and no others (`additionalProperties: false`)."""
    fields = {**required, **optional}

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise Misshapen(place, "must be an object")
        for key in value:
            if key not in fields:
                raise Misshapen(place, f"unknown key {key[:_KEY_SHOWN]!a}")
        for key in required:
            if key not in value:
                raise Misshapen(place, f"{key} is required")
        for key, element in value.items():
            fields[key](element, f"{place}.{key}")

    return check


def instant(first_year: int, last_year: int) -> Check:
    """An ISO-8601 date and time with its zone, between these years (inclusive, counted in UTC)."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise Misshapen(place, "must be an ISO-8601 date and time with a zone")
        try:
            year = read_instant(value).year
        except (ValueError, OverflowError) as error:
            raise Misshapen(place, "is no possible date and time") from error
        if not first_year <= year <= last_year:
            raise Misshapen(place, f"must lie in the years {first_year} to {last_year}")

    return check


def read_instant(value: str) -> datetime:
    """The moment, in UTC, that a string names which passed `instant`. Finer than a microsecond is dropped."""
    return datetime.fromisoformat(value).astimezone(UTC)


def _bounds(unit: str, least: int, most: int | None) -> str:
    if most is None:
        return f"must have at least {least} {unit}"
    return f"must have {least} to {most} {unit}"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(_: str) -> Any:
    raise Misshapen("body", "NaN and Infinity are not JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keyed = dict(pairs)
    if len(keyed) != len(pairs):
        raise Misshapen("body", "an object has the same key twice")
    return keyed
