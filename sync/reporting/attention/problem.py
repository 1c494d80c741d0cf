"""A problem as a value, and how many of one kind are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.models import Integration
from sync.reporting.status import Tone

MOST = 25
"""Problems of one kind on a page. Behind them stand the lists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that fails or waits for somebody. The page chooses links and buttons by `about` and `subject`."""

    about: str
    """standstill, polling, integration, ews_end, certificate, destination, bucket, budget, mailbox, mailboxes (of one
    integration), set_aside or newly_wanted (in mailboxes of one integration)"""
    subject: Any
    title: str
    text: str
    tone: Tone
    since: datetime | None
    count: int = 1
    """Mailboxes, or emails that are set aside or newly wanted."""
    status: str = ""
    kind: str = ""
    """Of the error, for the catalogue; and of mailboxes: only those that it stopped."""
    bucket: int | None = None
    """Only the mailboxes of this one are meant."""
    integrations: tuple[Integration, ...] = ()
    """Of a bucket whose mailboxes somebody has to look at: whose they are."""
    act: str = ""
    """What helps all mailboxes that are meant: a name in `operations.actions.MANY`; of comments that we did not know:
    accept."""


class Problems(list[Problem]):
    """Those that are told, and how many more there are of kinds that have very many."""

    def __init__(self, told: Iterable[Problem] = (), more: int = 0) -> None:
        super().__init__(told)
        self.more = more


def first(found: Iterable[Problem], total: int) -> Problems:
    """Of `total` things that were found, those that were made into problems: at most `MOST` of them."""
    return Problems(found, max(0, total - MOST))
