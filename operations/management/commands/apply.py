"""Create or change integrations from documents, for example in a CI job."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from operations.actor import Actor
from operations.documents.desired import DocumentWrong
from operations.documents.plan import Plan, planned
from operations.documents.plan_lines import change_lines
from operations.documents.reading import parse_json, read_document
from operations.integration_actions import write_document
from operations.resumption import settings_changed


class Command(BaseCommand):
    """The `apply` command."""

    help = (
        "Create or change integrations from JSON or YAML documents. If one document has an error, nothing is changed. "
        "A second run with the same documents changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        parser.add_argument(
            "paths", nargs="+", metavar="FILE", help="a document or a list of them; - for standard input"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply the documents in one transaction.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: A document has errors, a file cannot be read, or an integration was deleted in the meantime.
        """
        applied: list[Plan] = []
        try:
            with transaction.atomic():
                for place, document in _documents(options["paths"]):
                    applied.append(self._one(place, document, options["dry_run"]))
        except DocumentWrong as wrong:
            raise CommandError("Nothing was changed.\n" + "\n".join(wrong.problems)) from None
        changed = [plan for plan in applied if not plan.is_empty]
        if not options["dry_run"]:
            for plan in changed:
                settings_changed(planned(plan.desired).integration or _raise_deleted())
        verb = "would be changed" if options["dry_run"] else "changed"
        self.stdout.write(
            f"{len(applied)} integrations: {len(changed)} {verb}, {len(applied) - len(changed)} unchanged."
        )

    def _one(self, place: str, document: Any, dry_run: bool) -> Plan:
        try:
            desired = read_document(document)
            plan = planned(desired)
            for warning in desired.warnings:
                self.stderr.write(f"{place}: {warning}")
            if not plan.is_empty and not dry_run:
                write_document(Actor.of_command("apply"), plan)
        except DocumentWrong as wrong:
            raise DocumentWrong(*(f"{place}: {problem}" for problem in wrong.problems)) from None
        for what, before, after in change_lines(plan):
            self.stdout.write(f"{desired.project}/{desired.name}: {what}: {before or '–'} → {after or '–'}")
        return plan


def _raise_deleted() -> Any:
    raise CommandError("An integration was deleted while its document was applied.")


def _documents(paths: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield each document with its place. Raise DocumentWrong or CommandError if a file cannot be read or parsed."""
    for path in paths:
        for number, parsed in enumerate(_read(path)):
            listed = parsed if isinstance(parsed, list) else [parsed]
            for index, document in enumerate(listed):
                yield f"{path}[{number + index}]" if len(listed) > 1 or number else path, document


def _read(path: str) -> list[Any]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text in UTF-8'}."
        ) from None
    if text.lstrip()[:1] in {"{", "["}:
        return [parse_json(text)]
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise CommandError(f"{path} is neither JSON nor YAML{where}.") from None
    except RecursionError:
        raise CommandError(f"{path} is nested too deep.") from None


class _Loader(yaml.SafeLoader):
    """A YAML loader that leaves times as texts, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
