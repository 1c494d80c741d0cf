"""The class for one problem, and the maximum number of problems of one kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.models import Integration
from sync.reporting.status import Tone

MOST = 25
"""Maximum number of problems of one kind on the overview. The pages of mailboxes, buckets and so on list all objects with
problems. The overview lists all problems about the end of EWS and about certificates."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that requires action. The page chooses links and buttons by `about` and `subject`.

    Attributes:
        about: What the problem concerns: standstill, polling, integration, ews_end, certificate, destination, bucket,
            budget, mailbox, mailboxes (of one integration), set_aside (failed emails) or newly_wanted (in mailboxes of
            one integration).
        subject: The object. For standstill and polling: the name of the part as text.
        title: A few words.
        text: What happened and what to do.
        tone: The severity.
        since: When the problem began or last occurred, aware; None if unknown.
        count: Number of mailboxes, or number of emails if the problem is about failed or newly wanted emails.
        status: The `Status` that the list of mailboxes is filtered by; empty for none.
        kind: The kind of the error, for the catalogue. If mailboxes were disabled, an action applies only to the
            mailboxes that this error disabled.
        bucket: Primary key of the bucket whose mailboxes are concerned; None if the problem has no bucket.
        integrations: Buckets only: the integrations whose mailboxes an admin has to check.
        action: The action for which the page shows a button: a name in `operations.mailbox_actions.MANY`, for all mailboxes
            of the problem, or "accept" for unknown comments in a bucket. Empty for no button.
    """

    about: str
    subject: Any
    title: str
    text: str
    tone: Tone
    since: datetime | None
    count: int = 1
    status: str = ""
    kind: str = ""
    bucket: int | None = None
    integrations: tuple[Integration, ...] = ()
    action: str = ""


class Problems(list[Problem]):
    """A list of problems.

    Attributes:
        more: How many problems the list omits because their kind has more than `MOST`.
    """

    def __init__(self, shown: Iterable[Problem] = (), more: int = 0) -> None:
        """Make the list of the shown problems.

        Args:
            shown: The problems.
            more: Number of omitted problems.
        """
        super().__init__(shown)
        self.more = more


def first(found: Iterable[Problem], total: int) -> Problems:
    """Return a list of problems with the number of omitted problems.

    Args:
        found: The problems to show: at most `MOST`.
        total: The number of problems that were found.

    Returns:
        The list.
    """
    return Problems(found, max(0, total - MOST))
