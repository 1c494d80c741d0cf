"""The links of change tracking (delta queries). Their opaque tokens contain mailbox, folder, query and position.

Graph stores the query in the token. A client sends only the `Prefer` headers (page size and kind of ids) again with each
request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from simulators.exchange.store import Mailbox
from simulators.graph.errors import Refused
from simulators.graph.query import TOKENS

TREE = "tree"


@dataclass(frozen=True)
class Round:
    """A round of change tracking.

    `of`: id of the folder, or `TREE`. `asked`: the query options. `place`: the position; None at the beginning.
    """

    of: str
    asked: Mapping[str, str]
    place: dict[str, Any] | None = None


@dataclass
class Links:
    """Counts the links of each folder and folder tree.

    With `kept`, only this number of the newest links is valid. Users of Graph reported that a link became invalid while a
    client was still requesting the pages of the same round.
    """

    kept: int | None = None
    _highest: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)

    def next_number(self, mailbox: Mailbox, of: str) -> int:
        self._highest[mailbox.address, of] += 1
        return self._highest[mailbox.address, of]

    def check(self, mailbox: Mailbox, of: str, number: int) -> None:
        """Raises `Refused` if the link with this number is no longer valid."""
        highest = self._highest[mailbox.address, of]
        if self.kept is not None and highest - number >= self.kept:
            raise forgotten(number, highest)


def begun_or_resumed(mailbox: Mailbox, of: str, given: Mapping[str, str], links: Links) -> Round:
    """The round of a request: a new round, or the round in the token of the request. Raises `Refused`."""
    token = next(((name, given[name]) for name in TOKENS if name in given), None)
    if token is None:
        return Round(of, given)
    if len(given) > 1:
        raise Refused("ErrorInvalidUrlQuery", "A token contains the whole query: no other option is allowed.")
    return _read(*token, mailbox, of, links)


def link(base: str, mailbox: Mailbox, round_: Round, links: Links, *, last: bool) -> tuple[str, str]:
    """JSON key and URL of the link to the next page or round. `base`: the URL without a query."""
    kind = TOKENS[last]
    number = links.next_number(mailbox, round_.of)
    known = [kind, mailbox.address.casefold(), mailbox.generation, round_.of, number, dict(round_.asked), round_.place]
    packed = zlib.compress(json.dumps(known).encode(), 9)
    token = base64.urlsafe_b64encode(_check(packed) + packed).decode().rstrip("=")
    return ("@odata.deltaLink" if last else "@odata.nextLink"), f"{base}?{kind}={quote(token)}"


def _read(kind: str, token: str, mailbox: Mailbox, of: str, links: Links) -> Round:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _malformed() from None
    check, packed = raw[:8], raw[8:]
    if check != _check(packed):
        raise _malformed()
    written, address, generation, owner, number, asked, place = json.loads(zlib.decompress(packed))
    if written != kind:
        raise _malformed()
    if address != mailbox.address.casefold() or owner != of:
        raise Refused("SyncStateInvalid", "The sync state belongs to another folder or mailbox.")
    if generation != mailbox.generation:
        raise forgotten(generation, mailbox.generation)
    links.check(mailbox, of, number)
    return Round(owner, asked, place)


def forgotten(generation: int, highest: int) -> Refused:
    kept = "".join(f"[{number}]" for number in (highest, highest - 2, highest - 1))
    text = f"The sync state generation is not found; generation={generation};[highest={highest}]{kept}."
    return Refused("SyncStateNotFound", text)


def _check(packed: bytes) -> bytes:
    return hashlib.sha256(b"simulated graph" + packed).digest()[:8]


def _malformed() -> Refused:
    return Refused("BadRequest", "Badly formed token.")
