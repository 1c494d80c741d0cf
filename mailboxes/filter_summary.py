"""What a mailbox wants, in words: its start time and its filters, as a page lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailboxes.filter_text import format_path
from mailboxes.models import Mailbox


@dataclass(frozen=True, slots=True)
class FilterLine:
    """One line: which filter, and what it lists."""

    label: str
    values: tuple[str, ...]


def in_words(mailbox: Mailbox) -> list[FilterLine]:
    """The filters that are set, in the order of the form. None of them: all mail of the wanted folders."""
    listed: list[tuple[str, Iterable[str]]] = [
        ("Only these folders", map(format_path, mailbox.folder_allow)),
        ("Never these folders", map(format_path, mailbox.folder_deny)),
        ("Only with", (*mailbox.participant_allow, *mailbox.domain_allow)),
        ("Never with", (*mailbox.participant_deny, *mailbox.domain_deny)),
        ("Also", _classes(mailbox)),
    ]
    wishes = [FilterLine(label, tuple(values)) for label, values in listed]
    return [wish for wish in wishes if wish.values]


def _classes(mailbox: Mailbox) -> list[str]:
    switches = {"meeting messages": mailbox.meetings, "delivery and read reports": mailbox.reports}
    return [name for name, on in switches.items() if on]
