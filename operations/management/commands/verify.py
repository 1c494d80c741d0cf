"""Compare a mailbox in Exchange with the ledger and with Re:infer, and repair it on request."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet

from mailboxes.models import Mailbox
from operations import mailbox_actions
from operations.actor import Actor
from sync.jobs import verification
from sync.models import Verification


class Command(BaseCommand):
    """The `verify` command."""

    help = (
        "Compare the emails of a mailbox in Exchange with the synced emails and with the comments at Re:infer. Nothing is "
        "changed without --repair. With --repair, the next sync creates missing comments, each for an AI unit, and updates "
        "outdated comments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        parser.add_argument(
            "mailbox", metavar="MAILBOX", help="the address of the mailbox, or project/integration/address"
        )
        parser.add_argument(
            "--repair", action="store_true", help="create missing comments, and update outdated comments"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify one mailbox, and wait for the result.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: Exit code 1: there is no such mailbox, several integrations have this address, or the verification
                failed. Exit code 2: comments are missing or outdated and are not repaired, or Re:infer has none of the
                comments.
        """
        mailbox = _mailbox(options["mailbox"])
        self._shown = -1
        mailbox_actions.verify(Actor.of_command("verify"), mailbox, repair=options["repair"])
        row = verification.run_to_end(mailbox.pk, self._show)
        if row.error_text:
            raise CommandError(f"{row.error_text} {_read_so_far(row)}")
        self.stdout.write(row.sentence)
        if row.is_none_there:
            raise CommandError(
                "Re:infer has none of these emails. Verify the mailbox again after the next sync.", returncode=2
            )
        if (row.missing or row.outdated) and not row.repair:
            raise CommandError("Comments are missing or outdated. Run the command again with --repair.", returncode=2)

    def _show(self, row: Verification) -> None:
        if row.ended_at is None and row.emails != self._shown:
            self._shown = row.emails
            self.stderr.write(row.sentence)


def _read_so_far(row: Verification) -> str:
    """Return how much the verification had read when it failed."""
    return f"Folders read: {row.folders:,}, emails: {row.emails:,}."


def _mailbox(name: str) -> Mailbox:
    path, _, address = name.rpartition("/")
    mailboxes = Mailbox.objects.select_related("integration").filter(address__iexact=address)
    if path:
        project, _, integration = path.partition("/")
        mailboxes = mailboxes.filter(integration__project=project, integration__name=integration)
    return _one(mailboxes, name)


def _one(mailboxes: QuerySet[Mailbox], name: str) -> Mailbox:
    rows = list(mailboxes[:2])
    if not rows:
        alike = Mailbox.objects.filter(Q(address__icontains=name.rpartition("/")[2].partition("@")[0]))[:5]
        hint = f" Did you mean {', '.join(str(row) for row in alike)}?" if alike else ""
        raise CommandError(f"There is no mailbox {name}.{hint}")
    if len(rows) > 1:
        several = " or ".join(f"{row.integration.project}/{row.integration.name}/{row.address}" for row in rows)
        raise CommandError(f"Several integrations have {name}. Choose one: {several}.")
    return rows[0]
