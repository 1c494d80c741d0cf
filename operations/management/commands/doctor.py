"""Holds what this product relies on against the real service: read-only, in about a minute, for one mailbox."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from access import history
from integrations.connect import graph_facts
from integrations.diagnosis import Fact, StepVerdict
from integrations.errors import IntegrationError
from integrations.models import Integration
from operations import actions, api_migration
from operations.actions import ActionRefused

DEADLINE = 20.0
"""Seconds that one question may take."""
DIFFERENT, NOT_REACHED = 1, 2
"""Exit codes: something is not as this product was made for; Exchange could not be reached, signed in to or opened."""


class Command(BaseCommand):
    help = (
        "Test an integration step by step, and where it reads by Microsoft Graph, hold what this product relies on against the "
        "service itself. Nothing is changed, and neither a token nor an email is shown. Exit code 1: something differs; 2: "
        "Exchange was not reached."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--integration", required=True, metavar="NAME", help="NAME, or PROJECT/NAME")
        parser.add_argument(
            "--mailbox", default="", metavar="ADDRESS", help="a mailbox with a few emails; else the first"
        )
        parser.add_argument(
            "--watch",
            type=float,
            default=0,
            metavar="SECONDS",
            help="wait for emails that somebody moves, to see how it is told",
        )
        parser.add_argument("--graph", action="store_true", help="of one by EWS: as if it were switched to Graph")
        parser.add_argument("--endpoint", default="", help="with --graph, where Graph is; else that of the same cloud")
        parser.add_argument(
            "--secret-file",
            default="",
            metavar="FILE",
            help="with --endpoint, the secret, which is stored for the present one only; - for standard input",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        integration = _named(options["integration"])
        if options["graph"] and integration.microsoft_api != Integration.Api.GRAPH:
            integration = _as_switched(integration, options["endpoint"], options["secret_file"])
        address = options["mailbox"] or integration.mailboxes.values_list("address", flat=True).first()
        if not address:
            raise CommandError("It has no mailbox yet. Name one with --mailbox.")
        finding = actions.test_connection(integration, address, by=history.who_runs("doctor"))
        for step in finding.steps:
            self._tell(Fact(step.name, StepVerdict.OK if step.ok else StepVerdict.DIFFERS, step.text))
        if not finding.ok:
            if not finding.steps:
                self.stderr.write(finding.text)
            sys.exit(NOT_REACHED)
        if integration.microsoft_api == Integration.Api.GRAPH:
            facts = list(self._told(integration, address, options["watch"]))
            differing = sum(fact.verdict is StepVerdict.DIFFERS for fact in facts)
            untried = sum(fact.verdict is StepVerdict.UNTRIED for fact in facts)
            as_expected = len(facts) - differing - untried
            self.stdout.write(f"\n{as_expected} as expected, {differing} different, {untried} could not be tried.")
            if differing:
                self.stdout.write("Please report what differs: it holds no token, no address and nothing of an email.")
                sys.exit(DIFFERENT)

    def _told(self, integration: Integration, address: str, watch: float) -> Iterator[Fact]:
        try:
            for fact in graph_facts(integration, address, deadline=DEADLINE, watch=watch):
                self._tell(fact)
                yield fact
        except (IntegrationError, ImproperlyConfigured) as error:
            self.stderr.write(str(error))
            sys.exit(NOT_REACHED)

    def _tell(self, fact: Fact) -> None:
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
        raise CommandError(f"{target.text} Name a file that holds it with --secret-file, or - for standard input.")
    if isinstance(target, ActionRefused):
        raise CommandError(target.text)
    return api_migration.as_switched(integration, target)


def _read(path: str) -> str:
    try:
        return (sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"{path} cannot be read.") from None


def _named(text: str) -> Integration:
    project, slash, name = text.rpartition("/")
    rows = Integration.objects.filter(name=name, **({"project": project} if slash else {}))
    if len(rows) != 1:
        found = "There is no integration" if not rows else "There are several integrations"
        raise CommandError(f"{found} “{text}”. Name it as PROJECT/NAME.")
    return rows[0]
