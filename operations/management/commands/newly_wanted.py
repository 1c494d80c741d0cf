"""Says what only the rules of a newer release want, and takes the answer whether it is brought or left."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from access import history
from mailboxes.models import Mailbox
from operations import actions
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AnswerState


class Command(BaseCommand):
    help = (
        "Emails that only the rules of a newer release want, and that were there before it, wait for an answer. Without "
        "--bring or --leave, say how many of each mailbox there are, and what they cost."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--mailbox", metavar="ADDRESS", help="of this mailbox alone, in every integration that has it"
        )
        which.add_argument("--integration", metavar="PROJECT/NAME", help="of the mailboxes of this integration")
        which.add_argument("--all", action="store_true", help="of all mailboxes; an answer needs one of these three")
        answer = parser.add_mutually_exclusive_group()
        answer.add_argument("--bring", action="store_true", help="send them, for an AI unit each")
        answer.add_argument("--leave", action="store_true", help="do not send them")
        parser.add_argument("--left", action="store_true", help="with --bring: also what was left before")

    def handle(self, *args: Any, **options: Any) -> None:
        mailboxes = _chosen(options)
        if not (options["bring"] or options["leave"]):
            self._say(mailboxes)
            return
        if not (options["all"] or options["mailbox"] or options["integration"]):
            raise CommandError("Say of which: --mailbox, --integration or --all.")
        rows, by = list(newly_wanted.concerned(mailboxes)), history.who_runs("newly_wanted")
        if options["bring"]:
            said = actions.bring_newly_wanted(rows, by=by, also_left=options["left"])
        else:
            said = actions.leave_newly_wanted(rows, by=by)
        if isinstance(said, actions.ActionRefused):
            raise CommandError(said.text)
        history.note(by, said, changes=history.named(rows))
        self.stdout.write(said)

    def _say(self, mailboxes: QuerySet[Mailbox]) -> None:
        amounts = {standing: newly_wanted.by_mailbox(standing, mailboxes) for standing in AnswerState}
        names = {row.pk: str(row) for row in mailboxes.filter(pk__in=set().union(*amounts.values()))}
        for pk, name in sorted(names.items(), key=lambda item: item[1]):
            counts = [f"{amounts[standing][pk][0]:,} {standing}" for standing in AnswerState if pk in amounts[standing]]
            self.stdout.write(f"{name}: {', '.join(counts)}")
        waiting = newly_wanted.amount(AnswerState.WAITING, mailboxes)
        self.stdout.write(waiting.sentence if waiting.emails else "Nothing waits for an answer.")


def _chosen(options: dict[str, Any]) -> QuerySet[Mailbox]:
    """Raises CommandError where there is no such mailbox."""
    mailboxes = Mailbox.objects.select_related("integration")
    if options["mailbox"]:
        mailboxes = mailboxes.filter(address__iexact=options["mailbox"])
    elif options["integration"]:
        project, _, name = options["integration"].partition("/")
        mailboxes = mailboxes.filter(integration__project=project, integration__name=name)
    if (options["mailbox"] or options["integration"]) and not mailboxes.exists():
        raise CommandError("There is no such mailbox.")
    return mailboxes
