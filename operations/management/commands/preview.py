"""Print the comment that an email would become. Nothing is sent."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversion.deadline.in_process import Convert, Outcome
from conversion.preview import preview_of_file, rejection
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.reinfer.payload import comment_object
from sync.jobs.conversions import converter

LARGEST = 256 * 1024 * 1024
"""Maximum number of bytes that are read from a file. The rest of a larger file is ignored."""


class Command(BaseCommand):
    """The `preview` command."""

    help = "Print the comment that an email would become. Reads a file, every file in a folder, or standard input (-)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        parser.add_argument(
            "paths", nargs="+", metavar="FILE", help="an .eml file, a folder of them, or - for standard input"
        )
        parser.add_argument("--json", action="store_true", help="one line of JSON for each file")
        parser.add_argument(
            "--explain",
            action="store_true",
            help="show what each rule cut; for several files, the number of emails for each rule",
        )
        parser.add_argument(
            "--mailbox", default="mailbox@example.com", help="the mailbox address for the properties of the comment"
        )
        parser.add_argument(
            "--folder", default="Inbox", help="the folder path for the properties, for example Inbox/Trades"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Convert each file, and print the comments.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: One of the files does not exist, or no file could be converted.
        """
        place = EmailLocation(options["mailbox"], tuple(options["folder"].split("/")))
        outcomes: Counter[str] = Counter()
        rules: Counter[str] = Counter()
        several = len(options["paths"]) > 1 or any(Path(path).is_dir() for path in options["paths"])
        with converter() as convert:
            for name, read in _files(options["paths"]):
                outcome = _outcome(read, place, convert)
                outcomes[_kind(outcome)] += 1
                if options["json"]:
                    line = {"file": name, **_line(outcome, options["explain"])}
                    self.stdout.write(json.dumps(line, ensure_ascii=False))
                elif several:
                    self.stdout.write(f"{name}: {_kind(outcome)}")
                    rules.update(_rules(outcome) if options["explain"] else ())
                else:
                    self._show(outcome, options["explain"])
        self._sum_up(outcomes, rules, several and not options["json"])

    def _show(self, outcome: Converted | NotConvertible, explain: bool) -> None:
        if isinstance(outcome, NotConvertible):
            return
        self.stdout.write(json.dumps(comment_object(outcome.comment), ensure_ascii=False, indent=2))
        for cut in outcome.cleaned.cuts if explain else ():
            self.stderr.write(f"\ncut by the rule “{cut.rule}”:\n{cut.text}")

    def _sum_up(self, outcomes: Counter[str], rules: Counter[str], show: bool) -> None:
        if show:
            self.stdout.write("\n" + "\n".join(f"{count:6}  {kind}" for kind, count in outcomes.most_common()))
        if rules:
            lines = "\n".join(f"{count:6}  {rule}" for rule, count in rules.most_common())
            self.stdout.write(f"\nEmails from which each rule cut something:\n{lines}")
        if not outcomes["comment"]:
            reasons = ", ".join(outcomes) or "no file was found"
            raise CommandError(f"No file could be converted to a comment: {reasons}.")


def _files(paths: list[str]) -> list[tuple[str, Callable[[], bytes]]]:
    """Return the name of each file with a function that reads it. Raise CommandError if a path does not exist."""
    files: list[tuple[str, Callable[[], bytes]]] = []
    for text in paths:
        path = Path(text)
        if text == "-":
            files.append(("-", partial(sys.stdin.buffer.read, LARGEST)))
        elif path.is_dir():
            files += [(_printable(file), partial(_bytes, file)) for file in sorted(path.rglob("*")) if file.is_file()]
        elif path.is_file():
            files.append((_printable(path), partial(_bytes, path)))
        else:
            raise CommandError(f"There is no file {_printable(path)}.")
    return files


def _printable(path: Path) -> str:
    """Return the path as text. Bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST)


def _outcome(read: Callable[[], bytes], place: EmailLocation, convert: Convert) -> Outcome:
    """Convert one file. If it cannot be read, return the error as the outcome, so that the other files are converted, too."""
    try:
        return preview_of_file(read(), place, convert)
    except OSError as error:
        return NotConvertible(DeadLetterKind.UNREADABLE_FILE, error.strerror or type(error).__name__)
    except MemoryError:
        return NotConvertible(DeadLetterKind.UNREADABLE_FILE, "too large for the memory of this machine")


def _kind(outcome: Converted | NotConvertible) -> str:
    return "comment" if isinstance(outcome, Converted) else rejection(outcome)


def _rules(outcome: Converted | NotConvertible) -> set[str]:
    return {cut.rule for cut in outcome.cleaned.cuts} if isinstance(outcome, Converted) else set()


def _line(outcome: Converted | NotConvertible, explain: bool) -> dict[str, Any]:
    if isinstance(outcome, Converted):
        cuts = {"cut": [{"rule": cut.rule, "text": cut.text} for cut in outcome.cleaned.cuts]} if explain else {}
        return {"comment": comment_object(outcome.comment), **cuts}
    return {"rejection": rejection(outcome)}
