"""Answers for an admin before anything is synced or billed: number of emails, effect of filters, buckets to choose from.

The functions change nothing in Exchange or Re:infer. One request may take `SECONDS`. An estimate stops at the first
request that ends after `SECONDS`, so an estimate can take about twice `SECONDS`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from conversion.deadline.child_process import TooManyConversions
from conversion.deadline.in_process import Convert
from conversion.transform import Converted, EmailLocation
from integrations.connect import list_buckets, open_source
from integrations.errors import IntegrationError
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemId
from integrations.models import Destination, Integration
from integrations.ports import Source
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, Rules, participants_verdict
from operations.results import Finding
from sync.jobs import sign_in_budget
from sync.jobs.conversions import converter
from sync.jobs.folder_filter import wanted_folders
from sync.jobs.scope_evidence import PASSWORD_KINDS
from sync.models import MailboxItem
from sync.reporting.estimate import Estimate, estimate
from sync.reporting.filter_preview import SPAN, preview
from sync.store.lease import database_now

SECONDS = 20.0
"""Maximum time of one request, in seconds. An estimate starts no further request after this time, because an admin waits for
the page."""
SAMPLE = 50
"""Maximum number of emails that are fetched to read their participants."""
AI_UNITS = (
    "Each email costs one AI unit, unless the bucket has it already or another mailbox delivers the same email to the bucket. "
    "The real number can be lower, because the estimate also counts emails that participant filters leave out, and some "
    "drafts outside the Drafts folder."
)


def cost_of_mailbox(mailbox: Mailbox) -> Finding:
    """Estimate how many emails the first sync of a mailbox delivers.

    Args:
        mailbox: The mailbox with its integration.

    Returns:
        The number and the cost as sentences, or the error.
    """
    try:
        result = _estimate(mailbox, time.monotonic() + SECONDS)
    except (IntegrationError, ImproperlyConfigured) as error:
        return Finding(False, str(error))
    return Finding(True, f"{_emails_text(result)} will be synced. {AI_UNITS}")


def cost_of_integration(integration: Integration) -> Finding:
    """Estimate how many emails the first syncs of an integration deliver.

    Args:
        integration: The integration.

    Returns:
        The sum over its started mailboxes and the cost, as sentences. The sum is extrapolated if some mailboxes could not
        be estimated, for lack of time or because of an error.
    """
    mailboxes = list(integration.mailboxes.filter(enabled=True).select_related("integration"))
    if not mailboxes:
        return Finding(False, "Add a mailbox first.")
    until = time.monotonic() + SECONDS
    total, estimated, failed = Estimate(), 0, []
    for mailbox in mailboxes:
        if estimated and time.monotonic() >= until:
            break
        try:
            total += _estimate(mailbox, until)
            estimated += 1
        except (IntegrationError, ImproperlyConfigured) as error:
            failed.append(f"{mailbox}: {error}")
            if len(failed) >= 3 or getattr(error, "kind", "") in PASSWORD_KINDS:
                break
    if not estimated:
        return Finding(False, failed[0])
    return Finding(not failed, " ".join([_total_text(total, estimated, len(mailboxes)), AI_UNITS, *failed]))


def _estimate(mailbox: Mailbox, until: float) -> Estimate:
    with (
        sign_in_budget.counting(mailbox.integration),
        open_source(mailbox.integration, mailbox.address, deadline=SECONDS) as source,
    ):
        return estimate(source, mailbox.rules(), monotonic=time.monotonic, until=until)


def _emails_text(result: Estimate) -> str:
    count = f"{result.emails:,} email{'' if result.emails == 1 else 's'}"
    return count if result.is_exact else f"About {count}"


def _total_text(result: Estimate, estimated: int, total_mailboxes: int) -> str:
    if estimated == total_mailboxes:
        noun = "mailbox" if total_mailboxes == 1 else "mailboxes"
        return f"{_emails_text(result)} in {total_mailboxes} {noun} will be synced."
    about = round(result.emails * total_mailboxes / estimated)
    counted = f"{estimated} of {total_mailboxes} mailboxes have {_emails_text(result).lower()} to sync"
    return f"{counted}. Extrapolated to all mailboxes: about {about:,}."


@dataclass(frozen=True, slots=True)
class Choice:
    """The buckets that an admin can choose from.

    Attributes:
        buckets: Project and name of each bucket.
        problem: The error if the buckets cannot be listed; else empty.
    """

    buckets: Sequence[tuple[str, str]] = ()
    problem: str = ""


def buckets_at(destination: Destination) -> Choice:
    """List the buckets that the token of a destination can access at Re:infer. Takes up to 20 s.

    Args:
        destination: The destination.

    Returns:
        The buckets or the error.
    """
    try:
        return Choice(list_buckets(destination, deadline=SECONDS))
    except (IntegrationError, ImproperlyConfigured) as error:
        return Choice(problem=str(error))


def preview_filters(mailbox: Mailbox, rules: Rules) -> Finding:
    """Report how many emails of the last 30 days the filters would include.

    Args:
        mailbox: The mailbox with its integration.
        rules: The filters. If they contain participants or domains, a sample of emails is fetched from Exchange.

    Returns:
        The numbers as sentences, or the error if the sample could not be fetched.
    """
    result = preview(mailbox, rules, database_now())
    if not result.unknown:
        return Finding(True, result.sentence)
    try:
        sampled, rejected = _count_rejected(mailbox, rules)
    except (IntegrationError, ImproperlyConfigured, TooManyConversions) as error:
        return Finding(False, f"{result.sentence} Their participants could not be read. {error}")
    sample = (
        f"Of the newest {sampled:,} of these, the participant filters would leave out {rejected:,}." if sampled else ""
    )
    return Finding(True, f"{result.sentence} {sample}".strip())


def _count_rejected(mailbox: Mailbox, rules: Rules) -> tuple[int, int]:
    """Return the number of sampled emails, and how many of them the filters reject because of a participant."""
    folders = {row.pk: row for row, verdict in wanted_folders(mailbox, rules) if verdict is FilterVerdict.WANTED}
    recent = MailboxItem.objects.filter(mailbox=mailbox, folder__in=folders, received__gte=database_now() - SPAN)
    skipped = (FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT, FilterVerdict.ITEM_CLASS)
    items = list(recent.exclude(verdict__in=skipped).order_by("-received")[:SAMPLE])
    changes = [
        Change(ChangeKind.CREATED, FolderId(folders[item.folder_id].folder_id), ItemId(item.item_id), size=item.size)
        for item in items
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
            for verdict in _verdicts(source, batch, rules, convert)
        ]
    return len(verdicts), verdicts.count(FilterVerdict.PARTICIPANT)


def _batches(changes: Sequence[Change]) -> list[Sequence[Change]]:
    return [changes[start : start + 10] for start in range(0, len(changes), 10)]


def _verdicts(source: Source, changes: Sequence[Change], rules: Rules, convert: Convert) -> list[FilterVerdict]:
    result = []
    for email in source.fetch(changes):
        converted = convert(email, EmailLocation("", ())) if isinstance(email, Email) else None
        if isinstance(converted, Converted):
            result.append(participants_verdict(rules, converted.participants))
    return result
