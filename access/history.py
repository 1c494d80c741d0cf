"""Write the audit log: what people and commands changed or tested.

Views do not use this module. Each function in `operations` records its own action, whatever the entry point.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from access.models import AuditEntry

Changes = Sequence[tuple[str, str, str]]
"""Field, value before and value after, in words. Never a secret."""
LONGEST_VALUE = 500
"""Characters of a value that are stored."""
LONGEST_TEXT = 1024
LONGEST_NAME = 150
MOST_NAMED = 500
"""Objects of one action that are named one by one."""
KINDS = ("integration", "mailbox", "destination", "bucket", "set-aside")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an audit entry is about.

    Attributes:
        kind: One of `KINDS`; empty where the action is about none of them.
        object_id: Primary key of the object; None for many objects.
        integration_id: Primary key of the integration that the object belongs to.
    """

    kind: str = ""
    object_id: int | None = None
    integration_id: int | None = None

    @classmethod
    def of(cls, row: Any) -> Subject:
        """Return the subject for a model instance. Call this before the row is deleted.

        Args:
            row: An integration, mailbox, destination or bucket. An unsaved row has no kind.

        Returns:
            The subject, with the integration that the row belongs to.
        """
        name = row._meta.model_name
        kind = name if name in KINDS and row.pk is not None else ""
        return cls(
            kind,
            row.pk if kind else None,
            row.pk if kind == "integration" else getattr(row, "integration_id", None),
        )


MANY_MAILBOXES = Subject("mailbox")
FAILED_EMAILS = Subject("set-aside")
"""Failed emails of several mailboxes."""
NO_SUBJECT = Subject()


@dataclass(slots=True)
class ConnectionAttempt:
    """The outcome of a connection test, in words. The caller of `attempt` sets it."""

    outcome: str = "it broke off"


def record(who: str, text: str, *, about: Subject = NO_SUBJECT, changes: Changes = ()) -> AuditEntry:
    """Write one audit entry.

    Args:
        who: The name of the actor.
        text: What was done, as one sentence.
        about: The object of the action.
        changes: Field, value before, value after.

    Returns:
        The entry.
    """
    return AuditEntry.objects.create(
        who=who[:LONGEST_NAME],
        about=about.kind,
        object_id=about.object_id,
        integration_id=about.integration_id,
        text=text[:LONGEST_TEXT],
        changes=_shortened(changes),
    )


@contextmanager
def attempt(who: str, text: str, about: Subject, route: Changes) -> Iterator[ConnectionAttempt]:
    """Record a connection test: an entry before anything is sent, and its outcome afterwards.

    The entry exists even if the process dies while the server keeps the connection open.

    Args:
        who: The name of the actor.
        text: What is tested, as one sentence.
        about: The object that is tested.
        route: The servers that the test connects to.

    Yields:
        The attempt, whose outcome the caller sets.
    """
    found = ConnectionAttempt()
    entry = record(who, text, about=about, changes=[*route, ("Outcome", "", "not known: it did not end")])
    try:
        yield found
    finally:
        AuditEntry.objects.filter(pk=entry.pk).update(changes=_shortened([*route, ("Outcome", "", found.outcome)]))


def user_name(user: Any) -> str:
    """Return the name of a user as the audit log stores it, at most 150 characters."""
    name: str = user.get_username()
    return name[:LONGEST_NAME]


def command_name(command: str) -> str:
    """Return the name of the actor of a management command: the account of the operating system, and the command.

    Args:
        command: The name of the command of `manage.py`.

    Returns:
        At most 150 characters.
    """
    try:
        account = getpass.getuser()
    except OSError:  # In a container an account can have a number and no name.
        account = str(os.getuid())
    return f"{account}, manage.py {command}"[:LONGEST_NAME]


def named(things: Sequence[object]) -> Changes:
    """Return the objects of one action as lines of its audit entry, at most `MOST_NAMED` and the count of the rest.

    Args:
        things: The objects; each is named by its `str`.

    Returns:
        One line for each object.
    """
    lines = [("Of", "", str(thing)) for thing in things[:MOST_NAMED]]
    more = len(things) - MOST_NAMED
    return [*lines, ("Of", "", f"{more:,} more")] if more > 0 else lines


def _shortened(changes: Changes) -> list[list[str]]:
    return [[field, before[:LONGEST_VALUE], after[:LONGEST_VALUE]] for field, before, after in changes]
