"""Show the newly wanted emails, and store the decision whether they are delivered."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from mailboxes.models import Mailbox
from operations import newly_wanted_actions
from operations.actor import Actor
from operations.results import ActionRefused
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AnswerState


class Command(BaseCommand):
    """The `newly_wanted` command."""

    help = (
        "Emails that only the rules of a newer release want, and that arrived before it, wait for a decision. Without "
        "--bring or --leave, show how many each mailbox has, and what they cost."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--mailbox", metavar="ADDRESS", help="of this mailbox alone, in every integration that has it"
        )
        which.add_argument("--integration", metavar="PROJECT/NAME", help="of the mailboxes of this integration")
        which.add_argument("--all", action="store_true", help="of all mailboxes; a decision needs one of these three")
        answer = parser.add_mutually_exclusive_group()
        answer.add_argument("--bring", action="store_true", help="send them, for an AI unit each")
        answer.add_argument("--leave", action="store_true", help="do not send them")
        parser.add_argument(
            "--left", action="store_true", help="with --bring: also emails that an earlier decision left"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the numbers, or store the decision.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: There is no such mailbox, or no email is waiting for a decision.
        """
        mailboxes = _chosen(options)
        if not (options["bring"] or options["leave"]):
            self._show(mailboxes)
            return
        if not (options["all"] or options["mailbox"] or options["integration"]):
            raise CommandError("Choose which: --mailbox, --integration or --all.")
        rows, actor = list(newly_wanted.concerned(mailboxes)), Actor.of_command("newly_wanted")
        if options["bring"]:
            result = newly_wanted_actions.bring(actor, rows, also_left=options["left"])
        else:
            result = newly_wanted_actions.leave(actor, rows)
        if isinstance(result, ActionRefused):
            raise CommandError(result.text)
        self.stdout.write(result)

    def _show(self, mailboxes: QuerySet[Mailbox]) -> None:
        amounts = {standing: newly_wanted.by_mailbox(standing, mailboxes) for standing in AnswerState}
        names = {row.pk: str(row) for row in mailboxes.filter(pk__in=set().union(*amounts.values()))}
        for pk, name in sorted(names.items(), key=lambda item: item[1]):
            counts = [f"{amounts[standing][pk][0]:,} {standing}" for standing in AnswerState if pk in amounts[standing]]
            self.stdout.write(f"{name}: {', '.join(counts)}")
        waiting = newly_wanted.amount(AnswerState.WAITING, mailboxes)
        self.stdout.write(waiting.sentence if waiting.emails else "No email is waiting for a decision.")


def _chosen(options: dict[str, Any]) -> QuerySet[Mailbox]:
    """Return the mailboxes that the options name. Raise CommandError where there is none."""
    mailboxes = Mailbox.objects.select_related("integration")
    if options["mailbox"]:
        mailboxes = mailboxes.filter(address__iexact=options["mailbox"])
    elif options["integration"]:
        project, _, name = options["integration"].partition("/")
        mailboxes = mailboxes.filter(integration__project=project, integration__name=name)
    if (options["mailbox"] or options["integration"]) and not mailboxes.exists():
        raise CommandError("There is no such mailbox.")
    return mailboxes
