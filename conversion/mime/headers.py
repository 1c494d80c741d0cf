"""Decode headers: encoded words, raw 8-bit text and folded lines; addresses as `Name <address>`; dates in UTC."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import utils
from email.message import Message

from conversion.mime.charsets import clean, decoded, unescaped
from conversion.mime.encoded_words import decode_header

MAX_COMMENT_DEPTH = 100
"""Maximum nesting depth of comments in an address header. `correspondents` does not compute the depth, and compares the
number of all opening parentheses with this maximum."""
MAX_GROUP_DEPTH = 100
"""Maximum nesting depth of address groups. RFC 5322 §3.4 allows no nesting, and the standard library parses each level
recursively."""
_MAX_RECEIVED = 100
_ADDRESS_HEADER_FACTOR = 64
"""Address headers may be longer than other headers by this factor."""
_BETWEEN_WORDS = re.compile(r"[\s<>()\[\],;:\"]+")
EARLIEST_YEAR, LATEST_YEAR = 1400, 9999
"""Years that Re:infer accepts."""

# Newer Python releases parse strictly by default, and return nothing for malformed lists. Strict parsing is switched
# off, so that all releases return the same result.
_LENIENT = {"strict": False} if "strict" in inspect.signature(utils.getaddresses).parameters else {}


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A person or group in an address header.

    Attributes:
        name: The display name; may be empty.
        address: The address as written. Text without an `@` is not an address.
    """

    name: str
    address: str

    def __str__(self) -> str:
        if not self.address:
            return self.name
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def domain(self) -> str:
        """Return the domain in lower case; empty without an address."""
        return self.address.rpartition("@")[2].casefold() if "@" in self.address else ""


def raw_headers(message: Message, name: str, most: int) -> list[str]:
    """Return all headers of a name, unfolded. Encoded words are not decoded.

    Args:
        message: The parsed email.
        name: Name of the header, in any case.
        most: Maximum length of each value, in characters.

    Returns:
        The values in order.
    """
    wanted = name.casefold()
    return [
        " ".join(unescaped(str(value)[:most]).split()) for key, value in message.raw_items() if key.casefold() == wanted
    ]


def text_header(message: Message, name: str, most: int) -> str:
    """Return the first non-empty header of a name, decoded, on one line.

    Args:
        message: The parsed email.
        name: Name of the header, in any case.
        most: Maximum length of the raw value, in characters.

    Returns:
        The text; empty if there is no such header.
    """
    return next((words for raw in raw_headers(message, name, most) if (words := decoded_words(raw))), "")


def decoded_words(text: str) -> str:
    """Decode encoded words (RFC 2047) in a text.

    Args:
        text: The raw value of a header.

    Returns:
        The decoded text, or the text itself if its encoded words are invalid.
    """
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except ValueError:
        return text
    pieces = [decoded(part, charset) if isinstance(part, bytes) else unescaped(part) for part, charset in parts]
    return " ".join(clean("".join(pieces)).split())


def correspondents(message: Message, name: str, most_chars: int, most: int) -> list[Correspondent]:
    """Return the correspondents in all headers of a name, in order and without duplicates.

    Args:
        message: The parsed email.
        name: Name of the header, in any case.
        most_chars: Base limit of a header in characters. Address headers may be `_ADDRESS_HEADER_FACTOR` times as long.
        most: Maximum number of correspondents.

    Returns:
        The correspondents.
    """
    unique: dict[tuple[str, str], Correspondent] = {}
    for raw in raw_headers(message, name, most_chars * _ADDRESS_HEADER_FACTOR):
        for person in _people(raw):
            unique.setdefault((person.name, person.address.casefold()), person)
            if len(unique) >= most:
                return list(unique.values())
    return list(unique.values())


def addresses(
    message: Message, names: Sequence[str], read: Sequence[Correspondent], most_chars: int, most: int
) -> list[str]:
    """Return every address in all headers of these names, without the limits of `correspondents`.

    Args:
        message: The parsed email.
        names: Names of headers, in any case.
        read: The result of `correspondents` for these headers. Reused if it is complete.
        most_chars: The limit that `correspondents` had, in characters.
        most: The limit that `correspondents` had, in correspondents.

    Returns:
        The addresses.
    """
    wanted = {name.casefold() for name in names}
    values = [str(value) for key, value in message.raw_items() if key.casefold() in wanted]
    has_all = all(
        len(value) <= most_chars * _ADDRESS_HEADER_FACTOR and value.count("(") <= MAX_COMMENT_DEPTH for value in values
    )
    if has_all and len(read) < most:
        return [one.address for one in read]
    return [address for value in values for address in _addresses(" ".join(unescaped(value).split()))]


def date_header(message: Message, most: int) -> datetime | None:
    """Return the time of the Date header.

    Args:
        message: The parsed email.
        most: Maximum length of the header, in characters.

    Returns:
        The time in UTC; None if the header is absent, invalid, or outside of the years that Re:infer accepts.
    """
    for raw in raw_headers(message, "Date", most):
        moment = _moment(raw[:200])
        if moment is not None:
            return moment
    return None


def received_header(message: Message, most: int) -> datetime | None:
    """Return when the last server received the email.

    Uses the first Received header with a valid date after its last semicolon (RFC 5321 §4.4).

    Args:
        message: The parsed email.
        most: Maximum length of a header, in characters.

    Returns:
        The time in UTC, or None.
    """
    for raw in raw_headers(message, "Received", most)[:_MAX_RECEIVED]:
        moment = _moment(raw.rpartition(";")[2].strip()[:200])
        if moment is not None:
            return moment
    return None


def message_ids(text: str) -> list[str]:
    """Return the ids in a References or In-Reply-To header, with their angle brackets.

    Args:
        text: The value of the header.

    Returns:
        The ids in order.
    """
    return re.findall(r"<[^<>\s]{1,2000}>", text)


def _people(raw: str) -> Iterable[Correspondent]:
    if raw.count("(") > MAX_COMMENT_DEPTH:
        yield Correspondent(decoded_words(raw), "")
        return
    for name, address in utils.getaddresses([_ungrouped(raw)], **_LENIENT):
        person = _person(_unquoted(decoded_words(name)), clean(decoded_words(address)).strip())
        if person.name or person.address:
            yield person


def _addresses(raw: str) -> Iterable[str]:
    """Return all addresses. If comments are nested too deep to parse, return everything that looks like an address."""
    if _depth_of_comments(raw) > MAX_COMMENT_DEPTH:
        return [word for word in _BETWEEN_WORDS.split(raw) if "@" in word[1:-1]]
    people = utils.getaddresses([_ungrouped(raw)], **_LENIENT)
    return [clean(decoded_words(address)).strip() for _, address in people]


def _depth_of_comments(raw: str) -> int:
    """Return an upper bound of the nesting depth of comments: a counted parenthesis may be escaped or in quotes."""
    depth = deepest = 0
    for sign in re.findall(r"(?<!\\)\)|\(", raw):
        depth = depth + 1 if sign == "(" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _ungrouped(raw: str) -> str:
    """Return the address list. If groups are nested too deep, their syntax is removed, and group names become list entries."""
    if raw.count(":") <= MAX_GROUP_DEPTH:
        return raw
    depth = deepest = 0
    for sign in re.findall("[:;]", raw):
        depth = depth + 1 if sign == ":" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return raw if deepest <= MAX_GROUP_DEPTH else raw.replace(":", ",").replace(";", ",")


def _person(name: str, address: str) -> Correspondent:
    if "@" not in address and not name:
        return Correspondent(address, "")
    return Correspondent("" if name == address else name, address)


def _unquoted(name: str) -> str:
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'" else name


def _moment(text: str) -> datetime | None:
    try:
        parts = utils.parsedate_tz(text)
        if parts is None:
            return None
        offset = timedelta(seconds=parts[9] or 0)
        moment = datetime(*parts[:6], tzinfo=UTC) - offset
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if EARLIEST_YEAR <= moment.year <= LATEST_YEAR else None
