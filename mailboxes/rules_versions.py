"""Versions of the fixed filter rules, and the items that each version wants in addition. No side effects.

Fixed rules cannot be configured. They decide, for example, which folders contain mail and what is a draft. A release
in which a fixed rule wants more items adds an entry to `CHANGES`. Items that only the new version wants, and that were
in a mailbox before the upgrade, are not pushed until an administrator decides about them: see
`sync.engine.newly_wanted`.

Version 1 is the set of rules from before versions were introduced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integrations.messages import Change


@dataclass(frozen=True, slots=True)
class RulesChange:
    """What one version of the rules wants in addition to the version before.

    Attributes:
        version: Version number.
        what: The additional emails, as text. Pages show this text after a count: `12 emails <what>`.
        wants: Function that returns whether only this and later versions want an item, judged by its entry in a listing.
            It does not consider folders that only this and later versions read: see
            `integrations.messages.Folder.read_since`.
    """

    version: int
    what: str
    wants: Callable[[Change], bool]


def _is_marked_as_draft(change: Change) -> bool:
    return change.draft


CHANGES: tuple[RulesChange, ...] = (
    RulesChange(2, "in folders of other classes, or marked as draft outside of Drafts and Outbox", _is_marked_as_draft),
)
"""The versions, oldest first."""


def current() -> int:
    """Return the version of the rules that this release follows."""
    return max((change.version for change in CHANGES), default=1)


def wanted_since(change: Change, read_since: int) -> int:
    """Return the first version of the rules that wants an item.

    Args:
        change: An item that the current version wants.
        read_since: The first version that reads the folder of the item.

    Returns:
        The version number.
    """
    return max([read_since, *(rules.version for rules in CHANGES if rules.wants(change))])
