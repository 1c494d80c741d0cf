"""Store the admin's decision about newly wanted emails: emails that only the rules of a newer release want.

A decision applies to a mailbox and a version of the rules, also for emails that are found later.
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
from sync.reporting.newly_wanted import AnswerState, of_standing
from sync.store.lease import database_now


def bring(
    actor: Actor, mailboxes: Sequence[Mailbox], *, about: Subject = NO_SUBJECT, also_left: bool = False
) -> str | ActionRefused:
    """Deliver the newly wanted emails of these mailboxes. Each new comment costs an AI unit.

    Args:
        actor: Who decides.
        mailboxes: The mailboxes.
        about: The subject of the audit entry.
        also_left: Whether emails that an earlier decision left in Exchange are delivered, too.

    Returns:
        What was decided, as a sentence, or that nothing is waiting for a decision.
    """
    emails = _answer(actor, mailboxes, bring=True, also_left=also_left)
    if emails is None:
        return ActionRefused(f"Nothing of {named(mailboxes)} waits for an answer.")
    make_due(mailboxes)
    text = f"{_counted(emails, mailboxes)} brought by the next syncs, and whatever is still found."
    return recorded(actor, text, about, history.named(mailboxes))


def leave(actor: Actor, mailboxes: Sequence[Mailbox], *, about: Subject = NO_SUBJECT) -> str | ActionRefused:
    """Leave the newly wanted emails of these mailboxes in Exchange, also those that are accepted but not yet delivered.

    Args:
        actor: Who decides.
        mailboxes: The mailboxes.
        about: The subject of the audit entry.

    Returns:
        What was decided, as a sentence, or that nothing is waiting for a decision.
    """
    emails = _answer(actor, mailboxes, bring=False)
    if emails is None:
        return ActionRefused(f"Nothing of {named(mailboxes)} waits for an answer.")
    text = (
        f"{_counted(emails, mailboxes)} left in Exchange, and whatever is still found. What arrives from now on comes."
    )
    return recorded(actor, text, about, history.named(mailboxes))


def _answer(actor: Actor, mailboxes: Sequence[Mailbox], *, bring: bool, also_left: bool = False) -> int | None:
    """Store the decision, also for emails that are found later.

    To bring applies to the emails that wait and, with `also_left`, to those that were left. To leave applies to the
    emails that wait or were not delivered yet. Of two admins who decide at the same time, the first one counts.

    Returns the number of emails found so far; None where nothing is waiting for a decision.
    """
    of, now = [mailbox.pk for mailbox in mailboxes], database_now()
    changed = AnswerState.COMING if not bring else AnswerState.LEFT if also_left else None
    with transaction.atomic():
        rows = NewlyWanted.objects.filter(mailbox__in=of)
        emails = of_standing(AnswerState.WAITING, rows).count()
        if changed is not None:
            decided = of_standing(changed, rows)
            emails += decided.count()
            pairs = set(decided.values_list("mailbox_id", "version").distinct())
            for pk, version in pairs:
                RulesAnswer.objects.filter(mailbox=pk, version=version).update(bring=bring, at=now, by=actor.name)
        undecided = _undecided(of)
        answers = [
            RulesAnswer(mailbox_id=pk, version=version, bring=bring, at=now, by=actor.name) for pk, version in undecided
        ]
        RulesAnswer.objects.bulk_create(answers, ignore_conflicts=True)
    return emails if emails or undecided else None


def _undecided(mailboxes: Sequence[int]) -> set[tuple[int, int]]:
    """Return mailbox and version of the rules without a decision, for emails that were found or can still be found."""
    waiting = of_standing(AnswerState.WAITING, NewlyWanted.objects.filter(mailbox__in=mailboxes))
    found = set(waiting.values_list("mailbox_id", "version").distinct())
    answered = set(RulesAnswer.objects.filter(mailbox__in=mailboxes).values_list("mailbox_id", "version"))
    states = MailboxState.objects.filter(pk__in=mailboxes, looked_for__lt=F("rules"))
    for pk, looked_for, rules in states.values_list("pk", "looked_for", "rules"):
        found |= {(pk, change.version) for change in rules_versions.CHANGES if looked_for < change.version <= rules}
    return found - answered


def _counted(count: int, mailboxes: Sequence[Mailbox]) -> str:
    return f"{count:,} email{'s' * (count != 1)} of {named(mailboxes)} {'is' if count == 1 else 'are'}"
