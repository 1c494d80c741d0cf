"""List the filters of a mailbox, except its start time, as text for the mailbox page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailboxes.filter_text import format_path
from mailboxes.models import Mailbox


@dataclass(frozen=True, slots=True)
class FilterLine:
    """One filter that is set.

    Attributes:
        label: Name of the filter.
        values: The entries of the filter, as text.
    """

    label: str
    values: tuple[str, ...]


def filter_lines(mailbox: Mailbox) -> list[FilterLine]:
    """List the filters that are set, except the start time, in the order of the form.

    Args:
        mailbox: The mailbox.

    Returns:
        One line per filter that is set. An empty list means that all email of the default folders is wanted, from the start
        time on.
    """
    listed: list[tuple[str, Iterable[str]]] = [
        ("Only these folders", map(format_path, mailbox.folder_allow)),
        ("Never these folders", map(format_path, mailbox.folder_deny)),
        ("Only with", (*mailbox.participant_allow, *mailbox.domain_allow)),
        ("Never with", (*mailbox.participant_deny, *mailbox.domain_deny)),
        ("Also", _item_classes(mailbox)),
    ]
    filters = [FilterLine(label, tuple(values)) for label, values in listed]
    return [line for line in filters if line.values]


def _item_classes(mailbox: Mailbox) -> list[str]:
    switches = {"meeting messages": mailbox.meetings, "delivery and read reports": mailbox.reports}
    return [name for name, on in switches.items() if on]
