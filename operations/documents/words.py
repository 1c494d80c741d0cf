"""A plan in words, for the history, the API and commands: never a secret."""

from __future__ import annotations

from operations.documents.plan import Plan

MOST = 5_000
"""Lines."""


def changes_in_words(plan: Plan) -> list[tuple[str, str, str]]:
    """What, before, after."""
    found = [(line.what, line.before, line.after) for line in plan.settings]
    for wish, lines in plan.new_mailboxes:
        found.append(("Mailbox added", "", wish.address))
        found += [(f"{wish.address}: {line.what}", line.before, line.after) for line in lines]
    found += [("Mailbox removed", row.address, "") for row in plan.removed]
    for row, _, lines in plan.changed:
        found += [(f"{row.address}: {line.what}", line.before, line.after) for line in lines]
    return found[:MOST]
