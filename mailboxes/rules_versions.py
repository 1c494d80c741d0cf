"""The versions of the fixed rules, and what each of them newly wants. Pure.

Fixed rules are those that no admin can choose: which folders hold mail, what a draft is. A release that changes them adds a
line to `CHANGES`. What a mailbox held before such a release is then not sent before an admin answers: see
`sync.engine.newly_wanted`.

Version 1 are the rules as they were before versions were counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integrations.messages import Change


@dataclass(frozen=True, slots=True)
class RulesChange:
    """What one version of the rules wants that the one before did not."""

    version: int
    what: str
    """For people: emails "…", behind a number."""
    wants: Callable[[Change], bool]
    """Whether it is the first version that wants such an item, by what a page of a listing tells of it. Folders that are
    read since this version say so themselves: `integrations.messages.Folder.read_since`."""


def _is_marked_as_draft(change: Change) -> bool:
    return change.draft


CHANGES: tuple[RulesChange, ...] = (
    RulesChange(2, "in folders of other classes, or marked as draft outside of Drafts and Outbox", _is_marked_as_draft),
)
"""Oldest first."""


def current() -> int:
    """The version of the rules that this release follows."""
    return max((change.version for change in CHANGES), default=1)


def wanted_since(change: Change, read_since: int) -> int:
    """The first version that wants this item, which the present version does. `read_since`: the first version by which its
    folder is read."""
    return max([read_since, *(rules.version for rules in CHANGES if rules.wants(change))])
