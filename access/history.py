"""Write the audit log: what people and commands changed or tested.

Views do not write audit entries. The functions in `operations` write them, so that an action is recorded in the same way
from a page, the API and a command.
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
"""Triples of field, value before and value after, as display text. They never contain a secret."""
LONGEST_VALUE = 500
"""Maximum number of characters of a value. Longer values are cut."""
LONGEST_TEXT = 1024
"""Maximum number of characters of the text of an entry. A longer text is cut."""
LONGEST_NAME = 150
"""Maximum number of characters of the name of an actor. A longer name is cut."""
MAX_NAMED = 500
"""Maximum number of objects that the entry of one action names. Further objects are only counted."""
KINDS = ("integration", "mailbox", "destination", "bucket", "set-aside")
"""The values of `AuditEntry.about`, apart from the empty text. `set-aside` is a failed email."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The object of an audit entry.

    Attributes:
        kind: One of `KINDS`; empty if the object has none of these kinds, or if there is no object.
        object_id: Primary key of the object; None if there are several objects or none.
        integration_id: Primary key of the integration that the object is or belongs to; None if there is none.
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
            The subject.
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
    """A running connection test. The caller of `attempt` sets `outcome`, the result as display text."""

    outcome: str = "interrupted by an error"


def record(who: str, text: str, *, about: Subject = NO_SUBJECT, changes: Changes = ()) -> AuditEntry:
    """Write one audit entry.

    Args:
        who: The name of the actor.
        text: What was done, as sentences.
        about: The object of the action.
        changes: Field, value before and value after. Values longer than `LONGEST_VALUE` are cut.

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
    """Record a connection test: write an entry before the first request, and add the outcome when the test ends.

    The entry exists even if the process is killed while it waits for the server.

    Args:
        who: The name of the actor.
        text: What is tested, as one sentence.
        about: The object that is tested.
        route: What the test opens, such as a mailbox, and the servers to which it connects. Each is a change.

    Yields:
        The test. The caller sets its `outcome`.
    """
    running = ConnectionAttempt()
    entry = record(who, text, about=about, changes=[*route, ("Outcome", "", "unknown: the test did not end")])
    try:
        yield running
    finally:
        AuditEntry.objects.filter(pk=entry.pk).update(changes=_shortened([*route, ("Outcome", "", running.outcome)]))


def user_name(user: Any) -> str:
    """Return the name of a user as the audit log stores it, at most 150 characters."""
    name: str = user.get_username()
    return name[:LONGEST_NAME]


def command_name(command: str) -> str:
    """Return the name of the actor of a management command: the account of the operating system, and the command.

    Args:
        command: The name of the command of `manage.py`.

    Returns:
        The name, at most 150 characters.
    """
    try:
        account = getpass.getuser()
    except OSError:  # In a container, the account can have a user id without a name.
        account = str(os.getuid())
    return f"{account}, manage.py {command}"[:LONGEST_NAME]


def named(things: Sequence[object]) -> Changes:
    """Return the objects of one action as changes of its audit entry.

    Args:
        things: The objects. `str` of an object is its name.

    Returns:
        One change for each of the first `MAX_NAMED` objects. If there are more objects, one more change has their number.
    """
    lines = [("Of", "", str(thing)) for thing in things[:MAX_NAMED]]
    more = len(things) - MAX_NAMED
    return [*lines, ("Of", "", f"{more:,} more")] if more > 0 else lines


def _shortened(changes: Changes) -> list[list[str]]:
    return [[field, before[:LONGEST_VALUE], after[:LONGEST_VALUE]] for field, before, after in changes]
