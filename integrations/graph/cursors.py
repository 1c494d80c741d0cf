"""Positions in Graph's change tracking, stored as the cursors of the port.

A cursor names its mailbox and its folder and stores the link to the next page. Only the path and query of a link are
stored, and only of a link to the server of the connection.
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
    """Path and query of the next page. Blank for the start."""
    first: bool = True
    """Whether this is the first round, which lists everything that exists."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """For the tree: kinds of the well-known folders by folder id."""
    around: Mapping[str, Any] | None = None
    """State of the plain list, while the link fails because of one email: see the module `around`. None otherwise."""
    removed: Sequence[str] = ()
    """Messages before the link that were reported as removed and were not requested by id yet: see `whereabouts`."""
    unclear: Sequence[str] = ()
    """Messages that were requested by id, but whose folder Graph does not report. They are requested again."""
    ahead: bool = False
    """With `removed`: whether the link leads to more pages of the same round."""

    def cursor(self) -> Cursor:
        """Return this position as a cursor, in JSON, without its empty values."""
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
    """Return the position that is stored in a cursor.

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
        raise CursorRefused("the cursor does not come from Graph") from None
    if not valid or (scope.mailbox, scope.of) != (mailbox, of):
        raise CursorRefused("the cursor belongs to another mailbox or folder")
    return scope


def local_path(link: object, base: str) -> str:
    """Return the path and query of a link in a response of Graph.

    Args:
        link: Value of the link in the response.
        base: Scheme and host of the connection.

    Returns:
        Path and query.

    Raises:
        ExchangeFailed: The link is missing, or leads to another server.
    """
    if not isinstance(link, str):
        raise ExchangeFailed("the response does not have the documented format")
    try:
        parts, own = urlsplit(link), urlsplit(base)
        same = (parts.scheme, parts.hostname, parts.port or 443) == (own.scheme, own.hostname, own.port or 443)
    except ValueError:
        same = False
    if not same or not parts.path.startswith(VERSION) or parts.username is not None:
        raise ExchangeFailed("the response links to another server")
    return parts._replace(scheme="", netloc="", fragment="").geturl()
