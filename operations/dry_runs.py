"""What an admin may ask before anything is synced or billed: what will it cost, what would these filters do?

Each asks Exchange at most for so long as somebody waits for a page, and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from conversion.deadline.child_process import AllPlacesTaken
from conversion.deadline.in_process import Convert
from conversion.transform import Converted, EmailLocation
from integrations.connect import list_buckets, open_source
from integrations.errors import IntegrationError
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemId
from integrations.models import Destination, Integration
from integrations.ports import Source
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, Rules, participants_verdict
from operations.actions import Finding
from sync.jobs import sign_in_budget
from sync.jobs.conversions import converter
from sync.jobs.folder_filter import wanted_folders
from sync.jobs.scope_evidence import PASSWORD_KINDS
from sync.models import MailboxItem
from sync.reporting.estimate import Estimate, estimate
from sync.reporting.filter_preview import SPAN, preview
from sync.store.lease import database_now

SECONDS = 20.0
"""An admin waits for the answer."""
SAMPLE = 50
"""Emails that are fetched to see who wrote them to whom."""
AI_UNITS = (
    "Each costs an AI unit, unless the bucket has it already or another of its mailboxes brings it. Filters by participant, "
    "and drafts outside Drafts, can only lower it."
)


def cost_of_mailbox(mailbox: Mailbox) -> Finding:
    """How many emails the first sync of this mailbox brings."""
    try:
        found = _estimate(mailbox, time.monotonic() + SECONDS)
    except (IntegrationError, ImproperlyConfigured) as error:
        return Finding(False, str(error))
    return Finding(True, f"{_emails(found)} will be synced. {AI_UNITS}")


def cost_of_integration(integration: Integration) -> Finding:
    """The same for all mailboxes together; in proportion where there are too many to ask for each."""
    mailboxes = list(integration.mailboxes.filter(enabled=True).select_related("integration"))
    if not mailboxes:
        return Finding(False, "Add a mailbox first.")
    until = time.monotonic() + SECONDS
    sum_, asked, failed = Estimate(), 0, []
    for mailbox in mailboxes:
        if asked and time.monotonic() >= until:
            break
        try:
            sum_ += _estimate(mailbox, until)
            asked += 1
        except (IntegrationError, ImproperlyConfigured) as error:
            failed.append(f"{mailbox}: {error}")
            if len(failed) >= 3 or getattr(error, "kind", "") in PASSWORD_KINDS:
                break
    if not asked:
        return Finding(False, failed[0])
    return Finding(not failed, " ".join([_sum(sum_, asked, len(mailboxes)), AI_UNITS, *failed]))


def _estimate(mailbox: Mailbox, until: float) -> Estimate:
    with (
        sign_in_budget.counting(mailbox.integration),
        open_source(mailbox.integration, mailbox.address, deadline=SECONDS) as source,
    ):
        return estimate(source, mailbox.rules(), monotonic=time.monotonic, until=until)


def _emails(found: Estimate) -> str:
    count = f"{found.emails:,} email{'' if found.emails == 1 else 's'}"
    return count if found.is_exact else f"About {count}"


def _sum(found: Estimate, asked: int, of: int) -> str:
    if asked == of:
        noun = "mailbox" if of == 1 else "mailboxes"
        return f"{_emails(found)} in {of} {noun} will be synced."
    about = round(found.emails * of / asked)
    return (
        f"{asked} of {of} mailboxes hold {_emails(found).lower()} to be synced; in proportion all hold about {about:,}."
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """The buckets to choose from, or why they cannot be told."""

    buckets: Sequence[tuple[str, str]] = ()
    problem: str = ""


def buckets_at(destination: Destination) -> Choice:
    """Project and name of each bucket that Re:infer shows to our token. Takes up to 20 s."""
    try:
        return Choice(list_buckets(destination, deadline=SECONDS))
    except (IntegrationError, ImproperlyConfigured) as error:
        return Choice(problem=str(error))


def preview_filters(mailbox: Mailbox, rules: Rules) -> Finding:
    """What these rules would do to the emails of the last 30 days. Fetches a sample when participants decide."""
    found = preview(mailbox, rules, database_now())
    if not found.unknown:
        return Finding(True, found.sentence)
    try:
        asked, away = _sampled(mailbox, rules)
    except (IntegrationError, ImproperlyConfigured, AllPlacesTaken) as error:
        return Finding(False, f"{found.sentence} Who wrote them to whom could not be looked up. {error}")
    told = f"Of the newest {asked:,} of them, {away:,} would not, by participant." if asked else ""
    return Finding(True, f"{found.sentence} {told}".strip())


def _sampled(mailbox: Mailbox, rules: Rules) -> tuple[int, int]:
    """How many emails were looked at, and how many of them are between people who are not wanted."""
    folders = {row.pk: row for row, verdict in wanted_folders(mailbox, rules) if verdict is FilterVerdict.WANTED}
    recent = MailboxItem.objects.filter(mailbox=mailbox, folder__in=folders, received__gte=database_now() - SPAN)
    skipped = (FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT, FilterVerdict.ITEM_CLASS)
    copies = list(recent.exclude(verdict__in=skipped).order_by("-received")[:SAMPLE])
    changes = [
        Change(ChangeKind.CREATED, FolderId(folders[copy.folder_id].folder_id), ItemId(copy.item_id), size=copy.size)
        for copy in copies
    ]
    until = time.monotonic() + SECONDS
    with (
        sign_in_budget.counting(mailbox.integration),
        open_source(mailbox.integration, mailbox.address, deadline=SECONDS) as source,
        converter(wait=False) as convert,
    ):
        verdicts = [
            verdict
            for batch in _batches(changes)
            if time.monotonic() < until
            for verdict in _judged(source, batch, rules, convert)
        ]
    return len(verdicts), verdicts.count(FilterVerdict.PARTICIPANT)


def _batches(changes: Sequence[Change]) -> list[Sequence[Change]]:
    return [changes[start : start + 10] for start in range(0, len(changes), 10)]


def _judged(source: Source, changes: Sequence[Change], rules: Rules, convert: Convert) -> list[FilterVerdict]:
    found = []
    for email in source.fetch(changes):
        converted = convert(email, EmailLocation("", ())) if isinstance(email, Email) else None
        if isinstance(converted, Converted):
            found.append(participants_verdict(rules, converted.participants))
    return found
