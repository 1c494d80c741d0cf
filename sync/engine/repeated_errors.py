"""What is a passing trouble once, and none any more when it repeats. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.errors import IntegrationError, RequestInvalid, RequestRejected

IN_A_ROW = 3
"""Syncs of a mailbox that end with an invalid request before it counts as one that stays: a gateway that is restarting, or a
configuration that is being mended, calls requests invalid too."""
ALIKE = {RequestRejected.kind, RequestInvalid.kind}


def may_settle(error: IntegrationError) -> bool:
    """Whether it matters how the syncs before ended."""
    return isinstance(error, RequestRejected)


def settled(error: IntegrationError, before: Sequence[str]) -> IntegrationError:
    """The error to act upon. `before`: the kinds with which the last syncs of the mailbox ended, newest first."""
    if may_settle(error) and len(before) >= IN_A_ROW - 1 and set(before[: IN_A_ROW - 1]) <= ALIKE:
        return RequestInvalid(error.detail, retry_after=error.retry_after)
    return error
