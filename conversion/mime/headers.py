"""Headers as people read them: encoded words, raw 8-bit, folded lines; addresses as `Name <address>`; dates in UTC."""

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

DEEPEST_COMMENT = 100
DEEPEST_GROUP = 100
"""Groups of addresses within groups. RFC 5322 §3.4 knows of none, and the standard library reads each level by one more call of
itself."""
_MOST_RECEIVED = 100
_FOR_PEOPLE = 64
"""So many times longer than others may a header be that names people."""
_BETWEEN_WORDS = re.compile(r"[\s<>()\[\],;:\"]+")
EARLIEST, LATEST = 1400, 9999
"""Years that Re:infer takes."""

# Newer releases of Python read strictly unless told otherwise, and give nothing for odd lists: the same on all of them.
_LENIENT = {"strict": False} if "strict" in inspect.signature(utils.getaddresses).parameters else {}


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Somebody in an address header. `address` may be anything: only what has an `@` is one."""

    name: str
    address: str

    def __str__(self) -> str:
        if not self.address:
            return self.name
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].casefold() if "@" in self.address else ""


def raw_headers(message: Message, name: str, most: int) -> list[str]:
    """Every header of this name as text, unfolded, at most `most` characters of each; encoded words untouched."""
    wanted = name.casefold()
    return [
        " ".join(unescaped(str(value)[:most]).split()) for key, value in message.raw_items() if key.casefold() == wanted
    ]


def text_header(message: Message, name: str, most: int) -> str:
    """The first header of this name that says anything, decoded, on one line."""
    return next((words for raw in raw_headers(message, name, most) if (words := decoded_words(raw))), "")


def decoded_words(text: str) -> str:
    """Encoded words (RFC 2047) decoded; what is no such thing stays as it is."""
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except ValueError:
        return text
    pieces = [decoded(part, charset) if isinstance(part, bytes) else unescaped(part) for part, charset in parts]
    return " ".join(clean("".join(pieces)).split())


def correspondents(message: Message, name: str, most_chars: int, most: int) -> list[Correspondent]:
    """Who stands in all headers of this name, without repetition, in their order."""
    found: dict[tuple[str, str], Correspondent] = {}
    for raw in raw_headers(message, name, most_chars * _FOR_PEOPLE):
        for person in _people(raw):
            found.setdefault((person.name, person.address.casefold()), person)
            if len(found) >= most:
                return list(found.values())
    return list(found.values())


def addresses(
    message: Message, names: Sequence[str], read: Sequence[Correspondent], most_chars: int, most: int
) -> list[str]:
    """Every address in all headers of these names, whatever `correspondents` had room for. `read`: what it found in them,
    within these limits."""
    wanted = {name.casefold() for name in names}
    values = [str(value) for key, value in message.raw_items() if key.casefold() in wanted]
    has_all = all(len(value) <= most_chars * _FOR_PEOPLE and value.count("(") <= DEEPEST_COMMENT for value in values)
    if has_all and len(read) < most:
        return [one.address for one in read]
    return [address for value in values for address in _addresses(" ".join(unescaped(value).split()))]


def date_header(message: Message, most: int) -> datetime | None:
    """The Date header in UTC; None where it is absent, unreadable or out of the years that Re:infer takes."""
    for raw in raw_headers(message, "Date", most):
        moment = _moment(raw[:200])
        if moment is not None:
            return moment
    return None


def received_header(message: Message, most: int) -> datetime | None:
    """When the last server took the email in, by the uppermost Received header that tells (RFC 5321 §4.4): what stands
    behind its last semicolon."""
    for raw in raw_headers(message, "Received", most)[:_MOST_RECEIVED]:
        moment = _moment(raw.rpartition(";")[2].strip()[:200])
        if moment is not None:
            return moment
    return None


def message_ids(text: str) -> list[str]:
    """The ids in a References or In-Reply-To header, brackets kept."""
    return re.findall(r"<[^<>\s]{1,2000}>", text)


def _people(raw: str) -> Iterable[Correspondent]:
    if raw.count("(") > DEEPEST_COMMENT:
        yield Correspondent(decoded_words(raw), "")
        return
    for name, address in utils.getaddresses([_ungrouped(raw)], **_LENIENT):
        person = _person(_unquoted(decoded_words(name)), clean(decoded_words(address)).strip())
        if person.name or person.address:
            yield person


def _addresses(raw: str) -> Iterable[str]:
    """Of everybody. Where comments lie within comments too deep to be read, whatever looks like an address."""
    if _depth_of_comments(raw) > DEEPEST_COMMENT:
        return [word for word in _BETWEEN_WORDS.split(raw) if "@" in word[1:-1]]
    people = utils.getaddresses([_ungrouped(raw)], **_LENIENT)
    return [clean(decoded_words(address)).strip() for _, address in people]


def _depth_of_comments(raw: str) -> int:
    """At least as many as a parser finds within each other: a bracket may also be quoted, or stand within quotes."""
    depth = deepest = 0
    for sign in re.findall(r"(?<!\\)\)|\(", raw):
        depth = depth + 1 if sign == "(" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _ungrouped(raw: str) -> str:
    """The list without its groups, where one of them lies too deep: their names stand among the addresses then."""
    if raw.count(":") <= DEEPEST_GROUP:
        return raw
    depth = deepest = 0
    for sign in re.findall("[:;]", raw):
        depth = depth + 1 if sign == ":" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return raw if deepest <= DEEPEST_GROUP else raw.replace(":", ",").replace(";", ",")


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
    return moment if EARLIEST <= moment.year <= LATEST else None
