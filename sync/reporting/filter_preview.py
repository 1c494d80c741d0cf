"""Preview the effect of filter rules on the known emails of the last 30 days. Reads the database only.

The database does not store the participants of an email. So the effect of participant filters on an email is known only
if the preview does not change these filters, and the email was not rejected because of its folder. Emails for which
this effect is unknown count as wanted: see `FilterForecast.unknown`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, Rules
from sync.jobs.folder_filter import wanted_folders
from sync.models import MailboxItem

SPAN = timedelta(days=30)
BY_FOLDER = (FilterVerdict.DENIED_FOLDER, FilterVerdict.SKIPPED_FOLDER)
WORDS = (
    ("by folder", BY_FOLDER),
    ("by participant", (FilterVerdict.PARTICIPANT,)),
    ("before the start time", (FilterVerdict.TOO_OLD,)),
    ("drafts", (FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT)),
    ("of another kind", (FilterVerdict.ITEM_CLASS,)),
)


@dataclass(frozen=True, slots=True)
class FilterForecast:
    """The emails of the last 30 days by their verdict under the previewed rules.

    Attributes:
        by_verdict: Number of emails for each verdict, without zeros.
        unknown: Emails that count as wanted although the participant filters were not applied to them.
    """

    by_verdict: dict[FilterVerdict, int]
    unknown: int = 0

    @property
    def total(self) -> int:
        """The number of emails."""
        return sum(self.by_verdict.values())

    @property
    def wanted(self) -> int:
        """The number of emails that would be synced."""
        return self.by_verdict.get(FilterVerdict.WANTED, 0)

    @property
    def sentence(self) -> str:
        """For example "Of the 1,240 emails of the last 30 days, 1,120 would be synced; 120 not: 120 by folder."."""
        if not self.total:
            return "No email of the last 30 days is known yet."
        excluded = [(words, sum(self.by_verdict.get(verdict, 0) for verdict in which)) for words, which in WORDS]
        if self.total == 1:
            reason = next((words for words, count in excluded if count), "")
            return f"The one email of the last 30 days would {f'not be synced: {reason}' if reason else 'be synced'}."
        reasons = ", ".join(f"{count:,} {words}" for words, count in excluded if count)
        not_synced = f"; {self.total - self.wanted:,} not: {reasons}" if reasons else ""
        return f"Of the {self.total:,} emails of the last 30 days, {self.wanted:,} would be synced{not_synced}."


def preview(mailbox: Mailbox, rules: Rules, now: datetime) -> FilterForecast:
    """Preview the effect of filter rules on one mailbox. Runs two queries.

    Args:
        mailbox: The mailbox.
        rules: The rules to preview.
        now: Current time, aware.

    Returns:
        The emails of the last 30 days by verdict.
    """
    same_participants = _participants(rules) == _participants(mailbox.rules())
    folders = {row.pk: verdict for row, verdict in wanted_folders(mailbox, rules)}
    by_verdict: Counter[FilterVerdict] = Counter()
    unknown = 0
    for folder, known, count, old in _counted(mailbox, rules, now):
        verdict = _verdict(known, folders.get(folder, FilterVerdict.DENIED_FOLDER), same_participants)
        if verdict is not FilterVerdict.WANTED:
            by_verdict[verdict] += count
            continue
        by_verdict[FilterVerdict.TOO_OLD] += old
        by_verdict[FilterVerdict.WANTED] += count - old
        if any(_participants(rules)) and (not same_participants or known in set(BY_FOLDER)):
            unknown += count - old
    return FilterForecast({verdict: count for verdict, count in by_verdict.items() if count}, unknown)


def _counted(mailbox: Mailbox, rules: Rules, now: datetime) -> list[tuple[int, str, int, int]]:
    """Return rows of: folder, stored verdict, number of emails, number of emails that arrived before the start time."""
    recent = MailboxItem.objects.filter(mailbox=mailbox, received__gte=now - SPAN).order_by()
    # Without a start time, compare with the start of the span, so that no email counts as too old.
    old = Count("pk", filter=Q(received__lt=rules.start or now - SPAN))
    return list(recent.values_list("folder_id", "verdict").annotate(count=Count("pk"), old=old))


def _verdict(known: str, folder: FilterVerdict, same_participants: bool) -> FilterVerdict:
    """Return the verdict under the previewed rules, without the start time, from the stored verdict of an email."""
    if folder is not FilterVerdict.WANTED:
        return folder
    if known in {FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT, FilterVerdict.ITEM_CLASS} or (
        known == FilterVerdict.PARTICIPANT and same_participants
    ):
        return FilterVerdict(known)
    return FilterVerdict.WANTED


def _participants(rules: Rules) -> tuple[tuple[str, ...], ...]:
    return (rules.participant_allow, rules.participant_deny, rules.domain_allow, rules.domain_deny)
