"""A plan in words, for the audit log, the API and commands. It contains no secret."""

from __future__ import annotations

from operations.documents.plan import Plan

MOST = 5_000
"""Lines that are returned."""


def changes_in_words(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the changes of a plan in words.

    Args:
        plan: The plan.

    Returns:
        What changes, value before, value after; at most `MOST` lines.
    """
    found = [(line.what, line.before, line.after) for line in plan.settings]
    for desired, lines in plan.new_mailboxes:
        found.append(("Mailbox added", "", desired.address))
        found += [(f"{desired.address}: {line.what}", line.before, line.after) for line in lines]
    found += [("Mailbox removed", row.address, "") for row in plan.removed]
    for row, _, lines in plan.changed:
        found += [(f"{row.address}: {line.what}", line.before, line.after) for line in lines]
    return found[:MOST]
