"""Many mailboxes as text: one a line, `address` or `address,project/bucket`, as pasted or exported from a spreadsheet. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from integrations.reinfer.names import problem_with_bucket

MOST = 5_000
HEADINGS = ("address", "mailbox", "email", "e-mail", "primarysmtpaddress", "name")


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    address: str
    project: str = ""
    bucket: str = ""


def read_list(text: str) -> tuple[list[Line], list[str]]:
    """The lines, and what is wrong with those that cannot be used, each named by its number. A heading is passed over."""
    lines: list[Line] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    try:
        rows = list(_rows(text))
    except _Unreadable as error:
        return [], [str(error)]
    for number, fields in rows:
        if not fields or (number == 1 and fields[0].casefold() in HEADINGS):
            continue
        if len(lines) >= MOST:
            problems.append(f"Line {number}: there are more than {MOST:,} mailboxes. Add the rest in a second list.")
            break
        line, problem = _line(number, fields)
        if not problem and line.address.casefold() in seen:
            problem = f"{line.address} stands in line {seen[line.address.casefold()]} already."
        if problem:
            problems.append(f"Line {number}: {problem}")
            continue
        seen[line.address.casefold()] = number
        lines.append(line)
    return lines, problems


class _Unreadable(Exception):
    """This text is no list at all."""


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row by the number of its line."""
    text = text.removeprefix("\ufeff").replace("\0", "")
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else "\t" if "\t" in first else ","
    reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
    begun = 1
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            yield begun, fields if any(fields) else []
            begun = reader.line_num + 1
    except csv.Error:
        raise _Unreadable(
            f"Line {begun}: a quotation mark is not closed, or stands in the middle of a value. Mend or remove it; a list of "
            "addresses needs none."
        ) from None


def _line(number: int, fields: list[str]) -> tuple[Line, str]:
    address, place = fields[0], fields[1] if len(fields) > 1 else ""
    name, at, domain = address.rpartition("@")
    if not (at and name and "." in domain) or any(character.isspace() for character in address) or len(address) > 320:
        return Line(number, address), f"“{address[:80]}” is no email address."
    if not place:
        return Line(number, address), ""
    project, slash, bucket = place.partition("/")
    if not slash:
        return Line(number, address), f"“{place[:80]}” is no bucket: write project/bucket."
    return Line(number, address, project, bucket), problem_with_bucket(project, bucket) or ""
