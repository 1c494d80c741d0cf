"""The changes of a plan as texts, for the audit log, the API and commands. The texts contain no secret."""

from __future__ import annotations

from operations.documents.plan import Plan

MOST = 5_000
"""Maximum number of lines that are returned. Further lines are left out."""


def change_lines(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the changes of a plan as texts.

    Args:
        plan: The plan.

    Returns:
        What changes, value before, value after; at most `MOST` lines.
    """
    changes = [(line.what, line.before, line.after) for line in plan.settings]
    for desired, lines in plan.new_mailboxes:
        changes.append(("Mailbox added", "", desired.address))
        changes += [(f"{desired.address}: {line.what}", line.before, line.after) for line in lines]
    changes += [("Mailbox removed", row.address, "") for row in plan.removed]
    for row, _, lines in plan.changed:
        changes += [(f"{row.address}: {line.what}", line.before, line.after) for line in lines]
    return changes[:MOST]
