"""Many mailboxes as text: one a line, `address` or `address,project/bucket`, as pasted or exported from a spreadsheet. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from integrations.reinfer.names import problem_with_bucket

MOST = 5_000
UNREADABLE = "it cannot be read. Close each quotation mark on the line that it is opened on, or leave them out."
HEADINGS = ("address", "mailbox", "email", "e-mail", "primarysmtpaddress", "name")


@dataclass(frozen=True, slots=True)
class AddressLine:
    number: int
    address: str
    project: str = ""
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class AddressProblem:
    """A line that cannot be used, and why."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"Line {self.number}: {self.text}"


def read_list(text: str) -> tuple[list[AddressLine], list[AddressProblem]]:
    """The lines, and what is wrong with those that cannot be used, each named by its number. A heading is passed over."""
    lines: list[AddressLine] = []
    problems: list[AddressProblem] = []
    seen: dict[str, int] = {}
    for number, fields in enumerate(_rows(text), 1):
        if fields is None:
            problems.append(AddressProblem(number, UNREADABLE))
            continue
        if not fields or (number == 1 and fields[0].casefold() in HEADINGS):
            continue
        if len(lines) >= MOST:
            problems.append(
                AddressProblem(number, f"there are more than {MOST:,} mailboxes. Add the rest in a second list.")
            )
            break
        line, problem = _line(number, fields)
        if not problem and line.address.casefold() in seen:
            problem = f"{line.address} stands in line {seen[line.address.casefold()]} already."
        if problem:
            problems.append(AddressProblem(number, problem))
            continue
        seen[line.address.casefold()] = number
        lines.append(line)
    return lines, problems


def _rows(text: str) -> Iterable[list[str] | None]:
    """The fields of each line; none of a blank one, None for one that cannot be read. Each line is read by itself: else a
    quotation mark that nobody closed would swallow all lines below it."""
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


def _line(number: int, fields: list[str]) -> tuple[AddressLine, str]:
    address, place = fields[0], fields[1] if len(fields) > 1 else ""
    name, at, domain = address.rpartition("@")
    if not (at and name and "." in domain) or any(character.isspace() for character in address) or len(address) > 320:
        return AddressLine(number, address), f"“{address[:80]}” is no email address."
    if not place:
        return AddressLine(number, address), ""
    project, slash, bucket = place.partition("/")
    if not slash:
        return AddressLine(number, address), f"“{place[:80]}” is no bucket: write project/bucket."
    return AddressLine(number, address, project, bucket), problem_with_bucket(project, bucket) or ""
