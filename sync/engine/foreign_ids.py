"""Foreign ids: stored ids of the previous source. A prefix distinguishes them from ids of the present source. Pure.

When a mailbox that was read by EWS is read by Graph, the same folders and emails have new ids. Stored ids of the previous
source get a prefix, so that they are never used in a request. An email with a foreign id is recognised by data that stay
the same: the path of its folder, Message-ID, received time and size. The email counts as unchanged if its change key is
the same, or if it was not changed after the time until which the previous source reported every change.
"""

from __future__ import annotations

from uuid import UUID

FOREIGN_PREFIX = "former:"
"""The beginning of every foreign id. No id of Exchange contains a colon."""


def foreign_prefix(token: UUID) -> str:
    """Return the prefix for ids that become foreign in this run.

    The prefix is derived from the token of the lease, so that two changes of the source give different prefixes. A time is not
    sufficient: after a correction of the clock, two changes can have the same time.

    Args:
        token: The token of the lease of the run.

    Returns:
        The prefix.
    """
    return f"{FOREIGN_PREFIX}{token.hex[:12]}:"


def is_foreign(item_id: str | None) -> bool:
    """Return whether an id is a foreign id.

    Args:
        item_id: A stored id, or None.

    Returns:
        Whether the id has the prefix of foreign ids.
    """
    return item_id is not None and item_id.startswith(FOREIGN_PREFIX)
