"""Test a connection with one mailbox and, for Graph, check whether the real service behaves as this product expects.

Nothing is changed. The command takes about a minute, plus the time of `--watch`.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from integrations.connect import graph_facts
from integrations.diagnosis import Fact, StepVerdict
from integrations.errors import IntegrationError
from integrations.models import Integration
from operations import api_migration, connection_tests
from operations.actor import Actor
from operations.results import ActionRefused

DEADLINE = 20.0
"""Seconds that one request may take."""
DIFFERENT, NOT_REACHED = 1, 2
"""Exit codes.

DIFFERENT: the service does not behave as expected. Errors in the options have the same code. NOT_REACHED: a step of the
connection test or a request of the check failed."""


class Command(BaseCommand):
    """The `doctor` command."""

    help = (
        "Test an integration step by step. If it uses Microsoft Graph, check whether the service behaves as this product "
        "expects. Nothing is changed. No token and no email is shown. Exit code 1: something differs, or an option is "
        "wrong; 2: the connection test or a request failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        parser.add_argument("--integration", required=True, metavar="NAME", help="NAME, or PROJECT/NAME")
        parser.add_argument(
            "--mailbox", default="", metavar="ADDRESS", help="a mailbox with a few emails; by default the first mailbox"
        )
        parser.add_argument(
            "--watch",
            type=float,
            default=0,
            metavar="SECONDS",
            help="wait this long, so that you can move emails: the command then checks how Graph reports the moves",
        )
        parser.add_argument(
            "--graph", action="store_true", help="check an EWS integration as if it were switched to Graph"
        )
        parser.add_argument(
            "--endpoint", default="", help="with --graph: the URL of Graph; by default the URL in the same cloud"
        )
        parser.add_argument(
            "--secret-file",
            default="",
            metavar="FILE",
            help="with --graph: a file with the secret, if the stored secret is bound to another endpoint; - for standard "
            "input",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Test the connection, then check the service.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: The name matches no integration or several, the integration has no mailbox, the file with the secret
                cannot be read, or the integration cannot be switched to Graph.
        """
        integration = _integration_of(options["integration"])
        if options["graph"] and integration.microsoft_api != Integration.Api.GRAPH:
            integration = _as_switched(integration, options["endpoint"], options["secret_file"])
        address = options["mailbox"] or integration.mailboxes.values_list("address", flat=True).first()
        if not address:
            raise CommandError("The integration has no mailbox yet. Name one with --mailbox.")
        finding = connection_tests.test_integration(Actor.of_command("doctor"), integration, address)
        for step in finding.steps:
            self._show(Fact(step.name, StepVerdict.OK if step.ok else StepVerdict.DIFFERS, step.text))
        if not finding.ok:
            if not finding.steps:
                self.stderr.write(finding.text)
            sys.exit(NOT_REACHED)
        if integration.microsoft_api == Integration.Api.GRAPH:
            facts = list(self._checked(integration, address, options["watch"]))
            differing = sum(fact.verdict is StepVerdict.DIFFERS for fact in facts)
            untried = sum(fact.verdict is StepVerdict.UNTRIED for fact in facts)
            as_expected = len(facts) - differing - untried
            self.stdout.write(f"\n{as_expected} as expected, {differing} different, {untried} could not be tried.")
            if differing:
                self.stdout.write(
                    "Please report the differences, without the address of the mailbox. The output contains no token and no "
                    "part of an email."
                )
                sys.exit(DIFFERENT)

    def _checked(self, integration: Integration, address: str, watch: float) -> Iterator[Fact]:
        try:
            for fact in graph_facts(integration, address, deadline=DEADLINE, wait_seconds=watch):
                self._show(fact)
                yield fact
        except (IntegrationError, ImproperlyConfigured) as error:
            self.stderr.write(str(error))
            sys.exit(NOT_REACHED)

    def _show(self, fact: Fact) -> None:
        style = {StepVerdict.OK: self.style.SUCCESS, StepVerdict.DIFFERS: self.style.ERROR}.get(
            fact.verdict, self.style.WARNING
        )
        self.stdout.write(f"{style(f'{fact.verdict.value:<18}')} {fact.name}: {fact.text}")


def _as_switched(integration: Integration, endpoint: str, secret_file: str) -> Integration:
    secrets = {}
    if secret_file and (names := [name for name in integration.places() if getattr(integration, name)]):
        secrets[names[0]] = _read(secret_file)
    target = api_migration.target_of(integration, Integration.Api.GRAPH, endpoint, secrets=secrets)
    if isinstance(target, api_migration.SecretsNeeded):
        raise CommandError(f"{target.text} Name a file that contains it with --secret-file, or - for standard input.")
    if isinstance(target, ActionRefused):
        raise CommandError(target.text)
    return api_migration.as_switched(integration, target)


def _read(path: str) -> str:
    try:
        return (sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"{path} cannot be read.") from None


def _integration_of(text: str) -> Integration:
    project, slash, name = text.rpartition("/")
    rows = Integration.objects.filter(name=name, **({"project": project} if slash else {}))
    if len(rows) != 1:
        problem = "There is no integration" if not rows else "There are several integrations"
        raise CommandError(f"{problem} “{text}”. Name it as PROJECT/NAME.")
    return rows[0]
