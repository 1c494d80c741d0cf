"""Positions in Graph's change tracking, stored as the cursors of the port.

A cursor names its mailbox and its folder, and stores the link to the next page. Only the path and the query of the link
are stored. A link to another server is not accepted.
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
    """Position in the change tracking of a folder or of the folder tree. Field names are keys of the stored JSON."""

    mailbox: str
    """Address of the mailbox, case-folded."""
    of: str
    """`TREE`, or the id of a folder."""
    link: str = ""
    """Path and query of the next link or delta link. Blank for the start."""
    first: bool = True
    """True until the first listing, which contains everything that exists, has ended."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Kinds of the well-known folders by folder id. Only in a position of the folder tree."""
    around: Mapping[str, Any] | None = None
    """State of the plain list, while the link fails because of one email: see `fallback_listing`. None otherwise."""
    removed: Sequence[str] = ()
    """Ids of messages that pages before the link report as removed, and that have not been requested by id yet: see
    `item_locations`."""
    unclear: Sequence[str] = ()
    """Ids of messages that were requested, but whose folder Graph does not report. They are requested again."""
    ahead: bool = False
    """Whether the link is a next link, which leads to the rest of a listing, and not a delta link."""

    def cursor(self) -> Cursor:
        """Return this position as a cursor: JSON, without values that are None or an empty collection."""
        values = {
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
        return Cursor(json.dumps({name: value for name, value in values.items() if value not in ({}, [], None)}))


def start_or_resume(mailbox: str, of: str, cursor: Cursor | None) -> CursorScope:
    """Return the position that is stored in a cursor, or the start.

    Args:
        mailbox: Address of the mailbox.
        of: `TREE`, or the id of a folder.
        cursor: Cursor of an earlier sync; None for the start.

    Returns:
        The position to continue from.

    Raises:
        CursorRefused: The cursor is damaged, or is for another mailbox, folder or adapter.
    """
    mailbox = mailbox.casefold()
    if cursor is None:
        return CursorScope(mailbox, of)
    try:
        scope = CursorScope(**json.loads(cursor))
        valid = scope.link.startswith(VERSION) or (not scope.link and scope.around is not None)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise CursorRefused("the cursor is damaged, or does not come from Graph") from None
    if not valid or (scope.mailbox, scope.of) != (mailbox, of):
        raise CursorRefused("the cursor is damaged, or belongs to another mailbox or folder")
    return scope


def local_path(link: object, base: str) -> str:
    """Return the path and query of a link in a response of Graph.

    Args:
        link: Value of the link in the response.
        base: Scheme and host of the connection.

    Returns:
        Path and query.

    Raises:
        ExchangeFailed: The link is missing, or leads to another server or API version.
    """
    if not isinstance(link, str):
        raise ExchangeFailed("the response does not have the documented format")
    try:
        parts, own = urlsplit(link), urlsplit(base)
        same = (parts.scheme, parts.hostname, parts.port or 443) == (own.scheme, own.hostname, own.port or 443)
    except ValueError:
        same = False
    if not same or not parts.path.startswith(VERSION) or parts.username is not None:
        raise ExchangeFailed("the response links to another server or API version")
    return parts._replace(scheme="", netloc="", fragment="").geturl()
