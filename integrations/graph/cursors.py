"""Places in Graph's change tracking, as the cursors of the port: whose mailbox, of what, and the link that goes on from there.

Of a link only path and query are kept, and only of one that leads to where it came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from integrations.errors import CursorRefused, ExchangeFailed
from integrations.messages import Cursor

TREE = "tree"
VERSION = "/v1.0/"


@dataclass(frozen=True, slots=True)
class CursorScope:
    mailbox: str
    of: str
    """`TREE`, or the id of a folder."""
    link: str = ""
    """Path and query; blank is the beginning."""
    first: bool = True
    """Whether this is still the first round, in which everything is told that is there."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Of the tree: the kinds of the well-known folders by their ids."""
    around: Mapping[str, Any] | None = None
    """Where the link cannot be followed, for an email that cannot be told: how far the plain list has come."""
    removed: Sequence[str] = ()
    """Messages that the folder told as removed, in front of the link, and that were not asked for yet: see `whereabouts`."""
    unclear: Sequence[str] = ()
    """Those that were asked for and of which Graph does not tell where they are: they are asked for again."""
    ahead: bool = False
    """With `removed`: whether the link leads to more of the same round."""

    def cursor(self) -> Cursor:
        known = {
            "mailbox": self.mailbox,
            "of": self.of,
            "link": self.link,
            "first": self.first,
            "kinds": dict(self.kinds),
            "around": self.around,
            "removed": list(self.removed),
            "unclear": list(self.unclear),
            "ahead": self.ahead or None,
        }
        return Cursor(json.dumps({name: value for name, value in known.items() if value not in ({}, [], None)}))


def begun_or_resumed(mailbox: str, of: str, cursor: Cursor | None) -> CursorScope:
    """Raises `CursorRefused` for a cursor of another mailbox, folder or source, and for a damaged one."""
    mailbox = mailbox.casefold()
    if cursor is None:
        return CursorScope(mailbox, of)
    try:
        place = CursorScope(**json.loads(cursor))
        right = place.link.startswith(VERSION) or (not place.link and place.around is not None)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise CursorRefused("it is none of Graph's") from None
    if not right or (place.mailbox, place.of) != (mailbox, of):
        raise CursorRefused("it is of another mailbox or folder")
    return place


def local(link: object, base: str) -> str:
    """Path and query of a link that Graph gave. Raises `ExchangeFailed` for one that leads elsewhere."""
    if not isinstance(link, str):
        raise ExchangeFailed("its answer is not as agreed")
    try:
        parts, own = urlsplit(link), urlsplit(base)
        same = (parts.scheme, parts.hostname, parts.port or 443) == (own.scheme, own.hostname, own.port or 443)
    except ValueError:
        same = False
    if not same or not parts.path.startswith(VERSION) or parts.username is not None:
        raise ExchangeFailed("a link of it leads to another server")
    return parts._replace(scheme="", netloc="", fragment="").geturl()
