"""The missing properties of a comment that was sent with an older set of properties. Pure.

The vendor's tools look for the mailbox of a comment under `Mailbox ID`. Comments that older versions sent have it under
`Mailbox` only. The missing properties follow from the present ones, so no email has to be fetched, and comments whose
email was deleted from Exchange are completed as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from integrations.messages import Comment
from sync.engine.reconcile import content_digest, properties_digest

MAILBOX, MAILBOX_ID = "string:Mailbox", "string:Mailbox ID"


@dataclass(frozen=True, slots=True)
class LedgerDigests:
    """The digests of a comment in the ledger: see `sync.engine.reconcile`."""

    content_digest: str
    properties_digest: str


@dataclass(frozen=True, slots=True)
class Completed:
    """What to do with a comment."""

    send: Comment | None
    """The comment with all properties, otherwise as the bucket holds it; None when nothing has to be sent."""
    properties_digest: str
    """The digest that the ledger has to contain afterwards."""
    held_back: bool = False
    """An update could be billed as a changed text, so it is not sent."""


def completed(stored: Comment | None, digests: LedgerDigests) -> Completed:
    """Decide how to complete the properties of a comment.

    Args:
        stored: The comment as the bucket holds it; None if the bucket does not hold it.
        digests: Its digests in the ledger.

    Returns:
        What to send, and the digest for the ledger.
    """
    if stored is None or MAILBOX not in stored.properties:
        return Completed(None, digests.properties_digest)
    whole = {**stored.properties, MAILBOX_ID: stored.properties[MAILBOX]}
    after = _digest_after(stored, replace(stored, properties=whole), digests)
    if whole == stored.properties:
        return Completed(None, after)
    if stored.translated or content_digest(stored) != digests.content_digest:
        return Completed(None, digests.properties_digest, held_back=True)
    return Completed(replace(stored, properties=whole), after)


def _digest_after(stored: Comment, whole: Comment, digests: LedgerDigests) -> str:
    """Return the properties digest for the ledger.

    If the bucket holds other properties than the ledger expects, the digest stays, so that a verification finds the
    difference.
    """
    without = {name: value for name, value in stored.properties.items() if name != MAILBOX_ID}
    ours = (properties_digest(stored), properties_digest(replace(stored, properties=without)))
    return properties_digest(whole) if digests.properties_digest in ours else digests.properties_digest
