"""Show the number of newly wanted emails, or store the decision whether they are delivered."""

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
from sync.reporting.newly_wanted import AdminDecision


class Command(BaseCommand):
    """The `newly_wanted` command."""

    help = (
        "Newly wanted emails are older emails that only the rules of a newer release include. They wait for a decision. "
        "Without --bring or --leave, show their number for each mailbox, and what all that wait cost."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--mailbox", metavar="ADDRESS", help="only emails of this mailbox, in every integration that has it"
        )
        which.add_argument(
            "--integration", metavar="PROJECT/NAME", help="only emails of the mailboxes of this integration"
        )
        which.add_argument(
            "--all", action="store_true", help="all mailboxes; --bring and --leave require one of these three"
        )
        answer = parser.add_mutually_exclusive_group()
        answer.add_argument("--bring", action="store_true", help="send them; each new comment costs an AI unit")
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
            CommandError: There is no such mailbox or integration, no option selects the mailboxes for a decision, or no email
                is waiting for a decision.
        """
        mailboxes = _chosen(options)
        if not (options["bring"] or options["leave"]):
            self._show(mailboxes)
            return
        if not (options["all"] or options["mailbox"] or options["integration"]):
            raise CommandError("Choose the mailboxes with --mailbox, --integration or --all.")
        rows, actor = list(newly_wanted.concerned(mailboxes)), Actor.of_command("newly_wanted")
        if options["bring"]:
            result = newly_wanted_actions.bring(actor, rows, also_left=options["left"])
        else:
            result = newly_wanted_actions.leave(actor, rows)
        if isinstance(result, ActionRefused):
            raise CommandError(result.text)
        self.stdout.write(result)

    def _show(self, mailboxes: QuerySet[Mailbox]) -> None:
        amounts = {state: newly_wanted.by_mailbox(state, mailboxes) for state in AdminDecision}
        names = {row.pk: str(row) for row in mailboxes.filter(pk__in=set().union(*amounts.values()))}
        for pk, name in sorted(names.items(), key=lambda item: item[1]):
            counts = [f"{amounts[state][pk][0]:,} {state}" for state in AdminDecision if pk in amounts[state]]
            self.stdout.write(f"{name}: {', '.join(counts)}")
        waiting = newly_wanted.amount(AdminDecision.WAITING, mailboxes)
        self.stdout.write(waiting.sentence if waiting.emails else "No email is waiting for a decision.")


def _chosen(options: dict[str, Any]) -> QuerySet[Mailbox]:
    """Return the mailboxes that the options name, or all mailboxes. Raise CommandError if a name matches no mailbox."""
    mailboxes = Mailbox.objects.select_related("integration")
    if options["mailbox"]:
        mailboxes = mailboxes.filter(address__iexact=options["mailbox"])
    elif options["integration"]:
        project, _, name = options["integration"].partition("/")
        mailboxes = mailboxes.filter(integration__project=project, integration__name=name)
    if (options["mailbox"] or options["integration"]) and not mailboxes.exists():
        raise CommandError("There is no such mailbox, or no integration with this name that has a mailbox.")
    return mailboxes
