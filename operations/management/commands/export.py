"""Print integrations as documents for the `apply` command, without their secrets."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError

from integrations.models import Integration
from operations.documents.stored import exported


class Command(BaseCommand):
    """The `export` command."""

    help = "Print all integrations, or the named ones, as JSON or YAML documents. Secrets are never printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        parser.add_argument("names", nargs="*", metavar="PROJECT/NAME")
        parser.add_argument("--yaml", action="store_true", help="YAML instead of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the documents.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: One of the names belongs to no integration.
        """
        rows = [_integration_of(name) for name in options["names"]] or list(Integration.objects.all())
        # `updated_at` is an optimistic lock. A document in a repository is applied many times, so it must not contain
        # this lock.
        documents = [{key: value for key, value in exported(row).items() if key != "updated_at"} for row in rows]
        if options["yaml"]:
            text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        else:
            text = json.dumps(documents[0] if len(options["names"]) == 1 else documents, indent=2, ensure_ascii=False)
        self.stdout.write(text)


def _integration_of(name: str) -> Integration:
    project, _, rest = name.partition("/")
    row = Integration.objects.filter(project=project, name=rest).first()
    if row is None:
        raise CommandError(f"There is no integration {name}. Name it as PROJECT/NAME.")
    return row
