"""An error that counts as temporary at first, and as permanent when it repeats. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.errors import IntegrationError, RequestInvalid, RequestRejected

IN_A_ROW = 3
"""When this many syncs of a mailbox in a row end with an invalid request, the last error counts as permanent. The errors
before it count as temporary, because a gateway may reject requests as invalid while it restarts or is being repaired."""
ALIKE = {RequestRejected.kind, RequestInvalid.kind}


def may_settle(error: IntegrationError) -> bool:
    """Return whether the results of earlier syncs matter for an error.

    Args:
        error: The error of this sync.

    Returns:
        Whether `settled` may return another error.
    """
    return isinstance(error, RequestRejected)


def settled(error: IntegrationError, before: Sequence[str]) -> IntegrationError:
    """Return the error that the retry policy has to use: the error of this sync, or a permanent error if it has repeated.

    Args:
        error: The error of this sync.
        before: The error kinds with which the last syncs of the mailbox ended, newest first.

    Returns:
        The error, or the permanent error that it has become.
    """
    if may_settle(error) and len(before) >= IN_A_ROW - 1 and set(before[: IN_A_ROW - 1]) <= ALIKE:
        return RequestInvalid(error.detail, retry_after=error.retry_after)
    return error
