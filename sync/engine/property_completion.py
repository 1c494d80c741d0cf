"""A comment that was sent with an older set of properties, and what it lacks. Pure.

The vendor's tools look for the mailbox of a comment under `Mailbox ID`; comments that older versions sent have it under
`Mailbox` alone. What a comment lacks follows from what it has, so no email has to be fetched for it, and comments whose email
was deleted from Exchange get it as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from integrations.messages import Comment
from sync.engine.reconcile import content_digest, properties_digest

MAILBOX, MAILBOX_ID = "string:Mailbox", "string:Mailbox ID"


@dataclass(frozen=True, slots=True)
class LedgerDigests:
    """What our ledger says of a comment: digests, as in `sync.engine.reconcile`."""

    content_digest: str
    properties_digest: str


@dataclass(frozen=True, slots=True)
class Completed:
    """What to do with a comment."""

    send: Comment | None
    """With all properties, and otherwise as the bucket holds it; None where nothing is to be sent."""
    properties_digest: str
    """What our ledger should say afterwards."""
    held_back: bool = False
    """An update could be billed as a changed text, so it is not sent."""


def completed(stored: Comment | None, held: LedgerDigests) -> Completed:
    """`stored`: the comment as the bucket holds it; None if it does not."""
    if stored is None or MAILBOX not in stored.properties:
        return Completed(None, held.properties_digest)
    whole = {**stored.properties, MAILBOX_ID: stored.properties[MAILBOX]}
    after = _digest_after(stored, replace(stored, properties=whole), held)
    if whole == stored.properties:
        return Completed(None, after)
    if stored.translated or content_digest(stored) != held.content_digest:
        return Completed(None, held.properties_digest, held_back=True)
    return Completed(replace(stored, properties=whole), after)


def _digest_after(stored: Comment, whole: Comment, held: LedgerDigests) -> str:
    """Where the bucket holds other properties than our ledger says, it goes on saying so, for a verification to find."""
    without = {name: value for name, value in stored.properties.items() if name != MAILBOX_ID}
    ours = (properties_digest(stored), properties_digest(replace(stored, properties=without)))
    return properties_digest(whole) if held.properties_digest in ours else held.properties_digest
