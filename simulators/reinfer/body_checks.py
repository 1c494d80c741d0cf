"""Building blocks that validate the structure of a JSON body.

A check gets a value and its place in the body. It returns nothing, or raises `InvalidBody`. The messages contain places and
limits, but never the value, because people who must not read the mail can read logs.
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


class InvalidBody(ValueError):
    """A value breaks a rule. The text contains the place of the value and the rule, never the value."""

    def __init__(self, place: str, rule: str) -> None:
        super().__init__(f"{place}: {rule}")


def parse_json(body: bytes) -> Any:
    """Parse a JSON body more strictly than `json`: NaN, Infinity, duplicate keys and excessive nesting are refused.

    Raises `InvalidBody`.
    """
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates)
    except InvalidBody:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidBody("body", "is not JSON in UTF-8") from error


def text(least: int = 0, most: int | None = None, pattern: str | None = None, rule: str = "") -> Check:
    """A string with `least` to `most` characters (code points) that matches the pattern, if there is one; without NUL."""
    compiled = re.compile(pattern, re.ASCII) if pattern else None

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str):
            raise InvalidBody(place, "must be a string")
        if len(value) < least or (most is not None and len(value) > most):
            raise InvalidBody(place, _bounds("characters", least, most))
        if compiled and not compiled.fullmatch(value):
            raise InvalidBody(place, rule or f"must match {pattern}")
        if "\0" in value or not _is_unicode(value):
            raise InvalidBody(place, "must be Unicode text without NUL")

    return check


def whole_number(least: int = 0, most: int | None = None) -> Check:
    def check(value: Any, place: str) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            raise InvalidBody(
                place, f"must be a whole number of at least {least}" + (f" and at most {most}" if most else "")
            )

    return check


def nullable(check: Check) -> Check:
    return lambda value, place: None if value is None else check(value, place)


def flag(value: Any, place: str) -> None:
    if not isinstance(value, bool):
        raise InvalidBody(place, "must be true or false")


def one_of(*choices: str) -> Check:
    def check(value: Any, place: str) -> None:
        if value not in choices or not isinstance(value, str):
            raise InvalidBody(place, f"must be one of {', '.join(choices)}")

    return check


def array(item: Check, most: int, least: int = 0) -> Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, list):
            raise InvalidBody(place, "must be an array")
        if not least <= len(value) <= most:
            raise InvalidBody(place, _bounds("elements", least, most))
        for index, element in enumerate(value):
            item(element, f"{place}[{index}]")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with all required keys. It may also have the optional keys, but no other keys."""
    fields = {**required, **optional}

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise InvalidBody(place, "must be an object")
        for key in value:
            if key not in fields:
                raise InvalidBody(place, f"unknown key {key[:_KEY_SHOWN]!a}")
        for key in required:
            if key not in value:
                raise InvalidBody(place, f"{key} is required")
        for key, element in value.items():
            fields[key](element, f"{place}.{key}")

    return check


def instant(first_year: int, last_year: int) -> Check:
    """An ISO-8601 date and time with its zone, between these years (inclusive, counted in UTC)."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise InvalidBody(place, "must be an ISO-8601 date and time with a zone")
        try:
            year = read_instant(value).year
        except (ValueError, OverflowError) as error:
            raise InvalidBody(place, "is not a valid date and time") from error
        if not first_year <= year <= last_year:
            raise InvalidBody(place, f"must be in the years {first_year} to {last_year}")

    return check


def read_instant(value: str) -> datetime:
    """The time of a string that passed `instant`, in UTC. Digits after the microseconds are dropped."""
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
    raise InvalidBody("body", "NaN and Infinity are not JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keyed = dict(pairs)
    if len(keyed) != len(pairs):
        raise InvalidBody("body", "an object has the same key twice")
    return keyed
