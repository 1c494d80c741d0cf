"""Foreign ids: how ids that another source gave are distinguished from those of the present source. Pure.

A mailbox that was read by EWS and is read by Graph from now on has new ids for the same folders and the same emails.
Stored ids of the other source get a prefix, so that no source is requested with them. Such an email is recognised by
what it keeps: its folder, Message-ID, received time, size and change key.
"""

from __future__ import annotations

from uuid import UUID

FORMER = "former:"
"""No id of Exchange contains a colon."""


def foreign_prefix(token: UUID) -> str:
    """Return the prefix for ids that become foreign in this run.

    It is derived from the lease, so that two switches of the source give different prefixes. A clock would not do: it
    may stand still or go back.

    Args:
        token: The token of the lease of the run.

    Returns:
        The prefix.
    """
    return f"{FORMER}{token.hex[:12]}:"


def is_former(item_id: str | None) -> bool:
    """Return whether an id is a foreign id.

    Args:
        item_id: A stored id, or None.

    Returns:
        Whether the id has the prefix of foreign ids.
    """
    return item_id is not None and item_id.startswith(FORMER)
