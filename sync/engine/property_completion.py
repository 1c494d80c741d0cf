"""Complete the properties of a comment that was pushed with an older set of properties. Pure.

Re:infer's own tools read the mailbox of a comment from the property `Mailbox ID`. Comments that older versions pushed
have only `Mailbox`. The missing property is derived from the existing one. So no email has to be fetched, and comments
whose email was deleted from Exchange are completed as well.
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
    """The decision on a comment."""

    send: Comment | None
    """The comment of the bucket with all properties; None if nothing has to be pushed."""
    properties_digest: str
    """The digest that the ledger has to contain afterwards."""
    held_back: bool = False
    """No update is pushed, because Re:infer could bill it as a changed text."""


def completed(stored: Comment | None, digests: LedgerDigests) -> Completed:
    """Decide how to complete the properties of a comment.

    Args:
        stored: The comment as the bucket has it; None if the bucket does not have the comment.
        digests: The digests of the comment in the ledger.

    Returns:
        The comment to push, if any, and the properties digest for the ledger.
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

    If the bucket has other properties than the ledger expects, the digest does not change, so that a verification finds
    the difference.
    """
    without = {name: value for name, value in stored.properties.items() if name != MAILBOX_ID}
    ours = (properties_digest(stored), properties_digest(replace(stored, properties=without)))
    return properties_digest(whole) if digests.properties_digest in ours else digests.properties_digest
