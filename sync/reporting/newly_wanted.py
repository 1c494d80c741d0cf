"""What waits because only newer rules want it: how much of which mailbox, at what price, and the admin's answer to it.

An answer holds for a mailbox and a version of the rules, for good: it also decides on what is found later. It can be changed at
any time; what was sent already stays at Re:infer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from mailboxes import rules_versions
from mailboxes.models import Mailbox
from sync.engine.newly_wanted import AT_ONCE
from sync.engine.records import NEWLY_WANTED
from sync.models import LedgerEntry, MailboxItem, MailboxState, NewlyWanted, RulesAnswer, RulesTakenUp


class AnswerState(StrEnum):
    """What was answered of newly wanted emails."""

    WAITING = "waiting"
    LEFT = "left"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class Amount:
    """Newly wanted emails of one mailbox, or of several together."""

    emails: int = 0
    units: int = 0
    """Comments that they would become: not what the bucket holds already, and an email in several mailboxes once."""
    mailboxes: int = 0
    is_most: bool = False
    """Some may not come after all: what is marked as draft is looked into when it is fetched, and so are participants."""
    is_counting: bool = False
    """Folders are still looked through."""
    since: datetime | None = None
    """When the newest of these rules were taken up."""
    versions: frozenset[int] = frozenset()

    @property
    def price(self) -> str:
        units = f"{self.units:,} AI unit{'s' * (self.units != 1)}"
        if self.is_counting:
            return f"{units} so far; folders are still looked through"
        return f"at most {units}" if self.is_most else units

    @property
    def sentence(self) -> str:
        """For people: how many, why, and at what price."""
        what = " and ".join(change.what for change in rules_versions.CHANGES if change.version in self.versions)
        where = f" of {self.mailboxes:,} mailboxes" if self.mailboxes > 1 else ""
        one = self.emails == 1
        return (
            f"{'1 email is' if one else f'{self.emails:,} emails are'} newly wanted by the rules of this release{where}: "
            f"{what}. {'It' if one else 'They'} arrived before the upgrade. "
            f"To bring {'it' if one else 'them'} costs {self.price}."
        )


def of_standing(standing: AnswerState, rows: QuerySet[NewlyWanted] | None = None) -> QuerySet[NewlyWanted]:
    """The emails (of these) of which this was answered, and that are still where they were found."""
    answers = RulesAnswer.objects.filter(mailbox=OuterRef("mailbox"), version=OuterRef("version"))
    chosen = {
        AnswerState.WAITING: ~Exists(answers),
        AnswerState.LEFT: Exists(answers.filter(bring=False)),
        AnswerState.COMING: Exists(answers.filter(bring=True)),
    }[standing]
    copies = MailboxItem.objects.filter(
        mailbox=OuterRef("mailbox"), comment_id=OuterRef("key"), verdict=NEWLY_WANTED, folder__gone=False
    )
    rows = NewlyWanted.objects.all() if rows is None else rows
    return rows.exclude(version=AT_ONCE).filter(chosen, Exists(copies))


def amount(standing: AnswerState, mailboxes: QuerySet[Mailbox] | None = None) -> Amount:
    """How many emails of these mailboxes, together; of all where none are given. At most two queries."""
    rows = None if mailboxes is None else NewlyWanted.objects.filter(mailbox__in=mailboxes.values("pk"))
    return _amount(of_standing(standing, rows).aggregate(**_counted()), _moments)


def by_integration() -> dict[int, Amount]:
    """What waits, by the primary key of the integration. One query where nothing does."""
    rows = of_standing(AnswerState.WAITING).order_by().values("mailbox__integration").annotate(**_counted())
    found: list[Any] = list(rows.order_by("mailbox__integration"))
    moments = _moments() if found else {}
    return {row["mailbox__integration"]: _amount(row, lambda: moments) for row in found}


def _counted() -> dict[str, Count]:
    """What is counted of newly wanted emails."""
    email = Concat(Cast("mailbox__bucket", CharField()), Value("/"), "key")
    return {
        "emails": Count("pk"),
        "units": Count(email, distinct=True, filter=~_is_held()),
        "mailboxes": Count("mailbox", distinct=True),
        "uncertain": Count("pk", filter=Q(draft=True) | _chooses_people()),
        "looking": Count("pk", filter=~_is_looked_through()),
        **{f"of_{it.version}": Count("pk", filter=Q(version=it.version)) for it in rules_versions.CHANGES},
    }


def _amount(counted: Mapping[str, int], moments: Callable[[], Mapping[int, datetime]]) -> Amount:
    if not counted["emails"]:
        return Amount()
    versions = frozenset(it.version for it in rules_versions.CHANGES if counted[f"of_{it.version}"])
    return Amount(
        emails=counted["emails"],
        units=counted["units"],
        mailboxes=counted["mailboxes"],
        is_most=bool(counted["uncertain"]),
        is_counting=bool(counted["looking"]),
        since=max((at for version, at in moments().items() if version in versions), default=None),
        versions=versions,
    )


def _moments() -> dict[int, datetime]:
    return dict(RulesTakenUp.objects.values_list("version", "at"))


def by_mailbox(standing: AnswerState, mailboxes: QuerySet[Mailbox]) -> dict[int, tuple[int, int]]:
    """Emails and AI units of each of these mailboxes. An email in several mailboxes counts in each."""
    rows = of_standing(standing, NewlyWanted.objects.filter(mailbox__in=mailboxes.values("pk")))
    counted = rows.order_by().values_list("mailbox").annotate(n=Count("pk"), units=Count("pk", filter=~_is_held()))
    return {pk: (emails, units) for pk, emails, units in counted}


def concerned(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """Those of these that an answer would be about: something newly wanted was found in them, or may still be."""
    found = Exists(NewlyWanted.objects.exclude(version=AT_ONCE).filter(mailbox=OuterRef("pk")))
    return mailboxes.filter(found | Q(state__looked_for__lt=F("state__rules")))


def answer(mailboxes: Sequence[Mailbox], *, bring: bool, by: str, now: datetime, also_left: bool = False) -> int | None:
    """Answer for these mailboxes, also for what is still found. Returns how many emails it was about so far; None where there
    was nothing to answer.

    To bring is about those that wait, and with `also_left` about those that were left; to leave is about those that wait or did
    not come yet. Of two admins who answer at once what waits, the first one counts.
    """
    of = [mailbox.pk for mailbox in mailboxes]
    changed = AnswerState.COMING if not bring else AnswerState.LEFT if also_left else None
    with transaction.atomic():
        rows = NewlyWanted.objects.filter(mailbox__in=of)
        emails = of_standing(AnswerState.WAITING, rows).count()
        if changed is not None:
            again = of_standing(changed, rows)
            emails += again.count()
            pairs = set(again.values_list("mailbox_id", "version").distinct())
            for pk, version in pairs:
                RulesAnswer.objects.filter(mailbox=pk, version=version).update(bring=bring, at=now, by=by)
        unanswered = _open(of)
        answers = [
            RulesAnswer(mailbox_id=pk, version=version, bring=bring, at=now, by=by) for pk, version in unanswered
        ]
        RulesAnswer.objects.bulk_create(answers, ignore_conflicts=True)
    return emails if emails or unanswered else None


def _open(mailboxes: Sequence[int]) -> set[tuple[int, int]]:
    """Mailbox and version of what nobody answered yet: of what was found, and of what may still be found."""
    waiting = of_standing(AnswerState.WAITING, NewlyWanted.objects.filter(mailbox__in=mailboxes))
    found = set(waiting.values_list("mailbox_id", "version").distinct())
    answered = set(RulesAnswer.objects.filter(mailbox__in=mailboxes).values_list("mailbox_id", "version"))
    states = MailboxState.objects.filter(pk__in=mailboxes, looked_for__lt=F("rules"))
    for pk, looked_for, rules in states.values_list("pk", "looked_for", "rules"):
        found |= {(pk, change.version) for change in rules_versions.CHANGES if looked_for < change.version <= rules}
    return found - answered


def _is_held() -> Exists:
    """The bucket holds it already."""
    return Exists(LedgerEntry.objects.filter(bucket=OuterRef("mailbox__bucket"), comment_id=OuterRef("key")))


def _chooses_people() -> Q:
    lists = ("participant_allow", "participant_deny", "domain_allow", "domain_deny")
    found = Q()
    for name in lists:
        found |= ~Q(**{f"mailbox__{name}": []})
    return found


def _is_looked_through() -> Q:
    return Q(mailbox__state__looked_for__gte=F("mailbox__state__rules"))
