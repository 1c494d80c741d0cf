"""Parse a pasted or uploaded list of mailboxes. No side effects.

A line contains one mailbox, as `address` or `address,project/bucket`. The separator can also be a semicolon or a tab,
because spreadsheets export files with these separators. The first line determines the separator of all lines.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from integrations.reinfer.names import problem_with_bucket

MAX_MAILBOXES = 5_000
UNREADABLE = (
    "The line cannot be parsed. Close each quotation mark at the end of its field, or remove it. If there is no quotation "
    "mark, the line is too long."
)
HEADINGS = ("address", "mailbox", "email", "e-mail", "primarysmtpaddress", "name")


@dataclass(frozen=True, slots=True)
class AddressLine:
    """One mailbox of the list.

    Attributes:
        number: Line number, from 1.
        address: Email address.
        project: Project of the bucket; empty when the line names no bucket.
        bucket: Name of the bucket; empty when the line names no bucket.
    """

    number: int
    address: str
    project: str = ""
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class AddressProblem:
    """A line that cannot be used, and the reason.

    Attributes:
        number: Line number, from 1.
        text: The reason, as text for the user.
    """

    number: int
    text: str

    def __str__(self) -> str:
        return f"Line {self.number}: {self.text}"


def read_list(text: str) -> tuple[list[AddressLine], list[AddressProblem]]:
    """Parse a list of mailboxes, and skip a heading in the first line.

    Args:
        text: The list, one mailbox per line.

    Returns:
        The usable lines, at most `MAX_MAILBOXES`, and one problem for each line that cannot be used. The lines after the
        limit are not read; one problem reports them.
    """
    lines: list[AddressLine] = []
    problems: list[AddressProblem] = []
    seen: dict[str, int] = {}
    for number, fields in enumerate(_rows(text), 1):
        if fields is None:
            problems.append(AddressProblem(number, UNREADABLE))
            continue
        if not fields or (number == 1 and fields[0].casefold() in HEADINGS):
            continue
        if len(lines) >= MAX_MAILBOXES:
            problems.append(
                AddressProblem(
                    number, f"There are more than {MAX_MAILBOXES:,} mailboxes. Add the others in a second list."
                )
            )
            break
        line, problem = _parse_line(number, fields)
        if not problem and line.address.casefold() in seen:
            problem = f"{line.address} is already in line {seen[line.address.casefold()]}."
        if problem:
            problems.append(AddressProblem(number, problem))
            continue
        seen[line.address.casefold()] = number
        lines.append(line)
    return lines, problems


def _rows(text: str) -> Iterable[list[str] | None]:
    """Yield the fields of each line: an empty list for a blank line, None for a line that is not valid CSV.

    Each line is parsed alone. Otherwise all lines after an unclosed quotation mark would become one field.
    """
    text = text.removeprefix("\ufeff").replace("\0", "")
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else "\t" if "\t" in first else ","
    for line in text.splitlines():
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            yield None
            continue
        fields = [field.strip() for field in row]
        yield fields if any(fields) else []


def _parse_line(number: int, fields: list[str]) -> tuple[AddressLine, str]:
    address, target = fields[0], fields[1] if len(fields) > 1 else ""
    name, at, domain = address.rpartition("@")
    if not (at and name and "." in domain) or any(character.isspace() for character in address) or len(address) > 320:
        return AddressLine(number, address), f"“{address[:80]}” is not an email address."
    if not target:
        return AddressLine(number, address), ""
    project, slash, bucket = target.partition("/")
    if not slash:
        return AddressLine(number, address), f"“{target[:80]}” is not a bucket. Write project/bucket."
    return AddressLine(number, address, project, bucket), problem_with_bucket(project, bucket) or ""
