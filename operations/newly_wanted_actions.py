"""Store the admin's decision about newly wanted emails: emails that only the rules of a newer release include.

A decision is stored for a mailbox and a version of the rules. The decision also applies to newly wanted emails that are
found later.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from access import history
from access.history import NO_SUBJECT, Subject
from mailboxes import rules_versions
from mailboxes.models import Mailbox
from operations.actor import Actor
from operations.results import ActionRefused, recorded
from operations.resumption import make_due, named
from sync.models import MailboxState, NewlyWanted, RulesAnswer
from sync.reporting.newly_wanted import AdminDecision, with_decision
from sync.store.lease import database_now


def bring(
    actor: Actor, mailboxes: Sequence[Mailbox], *, about: Subject = NO_SUBJECT, also_left: bool = False
) -> str | ActionRefused:
    """Decide that the newly wanted emails of these mailboxes are delivered. Each new comment costs an AI unit.

    Args:
        actor: Who decides.
        mailboxes: The mailboxes.
        about: The subject of the audit entry.
        also_left: Whether emails that an earlier decision left in Exchange are delivered, too.

    Returns:
        What was decided, as a sentence, or that nothing is waiting for a decision.
    """
    emails = _store_decision(actor, mailboxes, bring=True, also_left=also_left)
    if emails is None:
        return ActionRefused(f"No email of {named(mailboxes)} is waiting for a decision.")
    make_due(mailboxes)
    text = f"{_emails_are(emails, mailboxes)} sent by the next syncs. Emails that are found later are sent, too."
    return recorded(actor, text, about, history.named(mailboxes))


def leave(actor: Actor, mailboxes: Sequence[Mailbox], *, about: Subject = NO_SUBJECT) -> str | ActionRefused:
    """Decide that the newly wanted emails of these mailboxes stay in Exchange.

    The decision also applies to emails that an earlier decision accepted and that are not delivered yet.

    Args:
        actor: Who decides.
        mailboxes: The mailboxes.
        about: The subject of the audit entry.

    Returns:
        What was decided, as a sentence, or that nothing is waiting for a decision.
    """
    emails = _store_decision(actor, mailboxes, bring=False)
    if emails is None:
        return ActionRefused(f"No email of {named(mailboxes)} is waiting for a decision.")
    text = (
        f"{_emails_are(emails, mailboxes)} left in Exchange. Old emails that are found later are left, too. "
        "Emails that arrive from now on are sent."
    )
    return recorded(actor, text, about, history.named(mailboxes))


def _store_decision(actor: Actor, mailboxes: Sequence[Mailbox], *, bring: bool, also_left: bool = False) -> int | None:
    """Store the decision, which also applies to emails that are found later.

    The decision applies to emails without a decision. With `bring` and `also_left`, the decision also replaces an
    earlier decision to leave emails. Without `bring`, the decision also replaces an earlier decision to deliver emails,
    for the emails that are not delivered yet. If two admins decide at the same time about emails without a decision,
    the first decision is stored.

    Returns the number of emails to which the decision applies so far; None if there is nothing to decide.
    """
    pks, now = [mailbox.pk for mailbox in mailboxes], database_now()
    changed = AdminDecision.APPROVED if not bring else AdminDecision.DECLINED if also_left else None
    with transaction.atomic():
        rows = NewlyWanted.objects.filter(mailbox__in=pks)
        emails = with_decision(AdminDecision.WAITING, rows).count()
        if changed is not None:
            decided = with_decision(changed, rows)
            emails += decided.count()
            pairs = set(decided.values_list("mailbox_id", "version").distinct())
            for pk, version in pairs:
                RulesAnswer.objects.filter(mailbox=pk, version=version).update(bring=bring, at=now, by=actor.name)
        undecided = _undecided(pks)
        answers = [
            RulesAnswer(mailbox_id=pk, version=version, bring=bring, at=now, by=actor.name) for pk, version in undecided
        ]
        RulesAnswer.objects.bulk_create(answers, ignore_conflicts=True)
    return emails if emails or undecided else None


def _undecided(mailboxes: Sequence[int]) -> set[tuple[int, int]]:
    """Return the pairs of mailbox and rules version for which no decision is stored.

    Only pairs are returned for which newly wanted emails were found or can still be found.
    """
    waiting = with_decision(AdminDecision.WAITING, NewlyWanted.objects.filter(mailbox__in=mailboxes))
    pairs = set(waiting.values_list("mailbox_id", "version").distinct())
    answered = set(RulesAnswer.objects.filter(mailbox__in=mailboxes).values_list("mailbox_id", "version"))
    states = MailboxState.objects.filter(pk__in=mailboxes, looked_for__lt=F("rules"))
    for pk, looked_for, rules in states.values_list("pk", "looked_for", "rules"):
        pairs |= {(pk, change.version) for change in rules_versions.CHANGES if looked_for < change.version <= rules}
    return pairs - answered


def _emails_are(count: int, mailboxes: Sequence[Mailbox]) -> str:
    return f"{count:,} email{'s' * (count != 1)} of {named(mailboxes)} {'is' if count == 1 else 'are'}"
