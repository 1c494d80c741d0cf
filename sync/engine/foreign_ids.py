"""Ids that another source gave: how they are told from those of the source that is read now. Pure.

A mailbox that was read by EWS and is read by Graph from now on has all new ids, for the same folders and the same emails.
What we remember under an id of before is marked, so that no source is ever asked for it, and is known again by what an
email keeps: its folder, Message-ID, time of arrival, size and change key.
"""

from __future__ import annotations

from uuid import UUID

FORMER = "former:"
"""No id of Exchange has a colon in it."""


def mark_of(token: UUID) -> str:
    """What the run with this lease puts before an id that it leaves behind: ids left behind twice must not meet, and a
    clock may stand still or go back."""
    return f"{FORMER}{token.hex[:12]}:"


def is_former(item_id: str | None) -> bool:
    return item_id is not None and item_id.startswith(FORMER)
