"""Count newly wanted emails and their AI units, by mailbox and by the decision of an admin.

A newly wanted email is wanted only by newer fixed rules, and arrived before this installation was upgraded to these
rules. A decision belongs to a mailbox and a version of the rules. A decision does not expire, so it also applies to
emails that are found later. An admin can change a decision at any time. Comments that were pushed already stay in
Re:infer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from mailboxes import rules_versions
from mailboxes.models import Mailbox
from sync.engine.newly_wanted import AT_ONCE
from sync.engine.records import NEWLY_WANTED
from sync.models import LedgerEntry, MailboxItem, NewlyWanted, RulesAnswer, RulesTakenUp


class AdminDecision(StrEnum):
    """The decision of an admin about newly wanted emails: none yet, do not push them, or push them."""

    WAITING = "waiting"
    DECLINED = "left"
    APPROVED = "coming"


@dataclass(frozen=True, slots=True)
class Amount:
    """The newly wanted emails of one mailbox, or of several mailboxes together.

    Attributes:
        emails: Number of emails.
        units: AI units that pushing them costs. An email whose comment is already in the ledger of the bucket costs
            none, and an email in several mailboxes of one bucket is counted once.
        mailboxes: Number of mailboxes with at least one of the emails.
        is_most: Whether `units` is an upper limit. Drafts and filtered participants are detected only after a fetch.
        is_counting: Whether the rescan of at least one of these mailboxes has not ended, so that the numbers may grow.
        since: When this installation was upgraded to the newest of `versions`, aware.
        versions: The versions of the fixed rules because of which the emails are wanted.
    """

    emails: int = 0
    units: int = 0
    mailboxes: int = 0
    is_most: bool = False
    is_counting: bool = False
    since: datetime | None = None
    versions: frozenset[int] = frozenset()

    @property
    def price(self) -> str:
        """The AI units as text, for example "at most 3 AI units"."""
        units = f"{self.units:,} AI unit{'s' * (self.units != 1)}"
        if self.is_counting:
            return f"{units} so far; folders are still being scanned"
        return f"at most {units}" if self.is_most else units

    @property
    def sentence(self) -> str:
        """The number of emails, the reason and the AI units, as text."""
        reason = " and ".join(change.what for change in rules_versions.CHANGES if change.version in self.versions)
        where = f" of {self.mailboxes:,} mailboxes" if self.mailboxes > 1 else ""
        is_one = self.emails == 1
        emails = "1 email is" if is_one else f"{self.emails:,} emails are"
        return (
            f"{emails} newly wanted by the rules of this release{where}: "
            f"{reason}. {'It' if is_one else 'They'} arrived before the upgrade. "
            f"Pushing {'it' if is_one else 'them'} costs {self.price}."
        )


def with_decision(state: AdminDecision, rows: QuerySet[NewlyWanted] | None = None) -> QuerySet[NewlyWanted]:
    """Return the newly wanted emails with the given decision that are still in the mailbox and were not delivered.

    Args:
        state: The decision.
        rows: The emails to select from; None for all.

    Returns:
        The selected emails.
    """
    answers = RulesAnswer.objects.filter(mailbox=OuterRef("mailbox"), version=OuterRef("version"))
    chosen = {
        AdminDecision.WAITING: ~Exists(answers),
        AdminDecision.DECLINED: Exists(answers.filter(bring=False)),
        AdminDecision.APPROVED: Exists(answers.filter(bring=True)),
    }[state]
    items = MailboxItem.objects.filter(
        mailbox=OuterRef("mailbox"), comment_id=OuterRef("key"), verdict=NEWLY_WANTED, folder__gone=False
    )
    rows = NewlyWanted.objects.all() if rows is None else rows
    return rows.exclude(version=AT_ONCE).filter(chosen, Exists(items))


def amount(state: AdminDecision, mailboxes: QuerySet[Mailbox] | None = None) -> Amount:
    """Count the newly wanted emails with the given decision. Runs at most two queries.

    Args:
        state: The decision.
        mailboxes: The mailboxes to count; None for all.

    Returns:
        The sum over the mailboxes.
    """
    rows = None if mailboxes is None else NewlyWanted.objects.filter(mailbox__in=mailboxes.values("pk"))
    return _amount(with_decision(state, rows).aggregate(**_counted()), _moments)


def by_integration() -> dict[int, Amount]:
    """Count the newly wanted emails without a decision, by integration. Runs one query if there are none.

    Returns:
        The amounts by primary key of the integration.
    """
    rows = with_decision(AdminDecision.WAITING).order_by().values("mailbox__integration").annotate(**_counted())
    found: list[Any] = list(rows.order_by("mailbox__integration"))
    moments = _moments() if found else {}
    return {row["mailbox__integration"]: _amount(row, lambda: moments) for row in found}


def _counted() -> dict[str, Count]:
    """Return the aggregates over newly wanted emails that `_amount` needs."""
    email = Concat(Cast("mailbox__bucket", CharField()), Value("/"), "key")
    return {
        "emails": Count("pk"),
        "units": Count(email, distinct=True, filter=~_is_in_bucket()),
        "mailboxes": Count("mailbox", distinct=True),
        "uncertain": Count("pk", filter=Q(draft=True) | _filters_participants()),
        "scanning": Count("pk", filter=~_is_scanned()),
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
        is_counting=bool(counted["scanning"]),
        since=max((at for version, at in moments().items() if version in versions), default=None),
        versions=versions,
    )


def _moments() -> dict[int, datetime]:
    """Return when this installation was upgraded to each version of the fixed rules."""
    return dict(RulesTakenUp.objects.values_list("version", "at"))


def by_mailbox(state: AdminDecision, mailboxes: QuerySet[Mailbox]) -> dict[int, tuple[int, int]]:
    """Count the newly wanted emails with the given decision, by mailbox. An email in several mailboxes is counted in each.

    Args:
        state: The decision.
        mailboxes: The mailboxes to count.

    Returns:
        The number of emails and of AI units, by primary key of the mailbox.
    """
    rows = with_decision(state, NewlyWanted.objects.filter(mailbox__in=mailboxes.values("pk")))
    counted = rows.order_by().values_list("mailbox").annotate(n=Count("pk"), units=Count("pk", filter=~_is_in_bucket()))
    return {pk: (emails, units) for pk, emails, units in counted}


def concerned(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """Return the mailboxes to which a decision applies: newly wanted emails were found in them, or may still be found.

    Args:
        mailboxes: The mailboxes to select from.

    Returns:
        The selected mailboxes.
    """
    found = Exists(NewlyWanted.objects.exclude(version=AT_ONCE).filter(mailbox=OuterRef("pk")))
    return mailboxes.filter(found | Q(state__looked_for__lt=F("state__rules")))


def _is_in_bucket() -> Exists:
    return Exists(LedgerEntry.objects.filter(bucket=OuterRef("mailbox__bucket"), comment_id=OuterRef("key")))


def _filters_participants() -> Q:
    lists = ("participant_allow", "participant_deny", "domain_allow", "domain_deny")
    has_filter = Q()
    for name in lists:
        has_filter |= ~Q(**{f"mailbox__{name}": []})
    return has_filter


def _is_scanned() -> Q:
    return Q(mailbox__state__looked_for__gte=F("mailbox__state__rules"))
