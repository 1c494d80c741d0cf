"""What filters would do, told by the emails of the last 30 days that are known already. Reads the database only.

Participants are nowhere at rest: what filters by participant would do can be told of filters as they were when the emails
were fetched, and of no others. `FilterForecast.unknown` says of how many emails it cannot be told.
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
    """Emails of the last 30 days, by what would become of them."""

    by_verdict: dict[FilterVerdict, int]
    unknown: int = 0
    """Wanted as far as can be told: who wrote them to whom would have to be looked up."""

    @property
    def total(self) -> int:
        return sum(self.by_verdict.values())

    @property
    def wanted(self) -> int:
        return self.by_verdict.get(FilterVerdict.WANTED, 0)

    @property
    def sentence(self) -> str:
        """As in "Of the 1,240 emails of the last 30 days, 1,120 would be synced; 120 not: 120 by folder."."""
        if not self.total:
            return "No email of the last 30 days is known yet."
        away = [(words, sum(self.by_verdict.get(verdict, 0) for verdict in which)) for words, which in WORDS]
        if self.total == 1:
            why = next((words for words, count in away if count), "")
            return f"The one email of the last 30 days would {f'not be synced: {why}' if why else 'be synced'}."
        told = ", ".join(f"{count:,} {words}" for words, count in away if count)
        not_synced = f"; {self.total - self.wanted:,} not: {told}" if told else ""
        return f"Of the {self.total:,} emails of the last 30 days, {self.wanted:,} would be synced{not_synced}."


def preview(mailbox: Mailbox, rules: Rules, now: datetime) -> FilterForecast:
    """What these rules would do to the emails of this mailbox. Two queries."""
    same_people = _people(rules) == _people(mailbox.rules())
    folders = {row.pk: verdict for row, verdict in wanted_folders(mailbox, rules)}
    by_verdict: Counter[FilterVerdict] = Counter()
    unknown = 0
    for folder, known, count, old in _counted(mailbox, rules, now):
        verdict = _verdict(known, folders.get(folder, FilterVerdict.DENIED_FOLDER), same_people)
        if verdict is not FilterVerdict.WANTED:
            by_verdict[verdict] += count
            continue
        by_verdict[FilterVerdict.TOO_OLD] += old
        by_verdict[FilterVerdict.WANTED] += count - old
        if any(_people(rules)) and (not same_people or known in set(BY_FOLDER)):
            unknown += count - old
    return FilterForecast({verdict: count for verdict, count in by_verdict.items() if count}, unknown)


def _counted(mailbox: Mailbox, rules: Rules, now: datetime) -> list[tuple[int, str, int, int]]:
    """Folder, verdict, emails, and how many of them are before the start time."""
    recent = MailboxItem.objects.filter(mailbox=mailbox, received__gte=now - SPAN).order_by()
    # Without a start time nothing is before it.
    old = Count("pk", filter=Q(received__lt=rules.start or now - SPAN))
    return list(recent.values_list("folder_id", "verdict").annotate(count=Count("pk"), old=old))


def _verdict(known: str, folder: FilterVerdict, same_people: bool) -> FilterVerdict:
    """What becomes of an email, dates aside, of which we know what became of it before."""
    if folder is not FilterVerdict.WANTED:
        return folder
    if known in {FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT, FilterVerdict.ITEM_CLASS} or (
        known == FilterVerdict.PARTICIPANT and same_people
    ):
        return FilterVerdict(known)
    return FilterVerdict.WANTED


def _people(rules: Rules) -> tuple[tuple[str, ...], ...]:
    return (rules.participant_allow, rules.participant_deny, rules.domain_allow, rules.domain_deny)
