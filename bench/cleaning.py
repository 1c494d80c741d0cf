"""Benchmark of the text cleaning: its speed and accuracy, optionally compared with other libraries."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.rival_environments import PACKAGES, answers
from conversion.transform import EmailLocation, convert
from demo.table import table
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from tests.conversion.cleaning.case_files import CASES, HELD_OUT, cleaned, files_in, folded, read

OURS = "this project"
Case = dict[str, str]


@dataclass
class Score:
    """How many cases of one set a library solved correctly, and how much CPU time it used."""

    right: int = 0
    of: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.right}/{self.of} ({100 * self.right / self.of:.0f} %)" if self.of else "–"


@dataclass
class Set:
    name: str
    cases: list[Case]
    groups: list[str] = field(default_factory=list)
    """The group of each case: its language or its mail client."""


def run(mail: Path | None, rivals: bool, misses: bool) -> int:
    if mail:
        _speed(mail)
    sets = [Set("own cases", [read(path) for path in files_in(CASES)]), *_held_out()]
    libraries = [OURS, *(_installed() if rivals else [])]
    scores = {library: [_score(library, one) for one in sets] for library in libraries}
    rows = [[library, *map(str, of_sets), f"{_rate(of_sets):,.0f}"] for library, of_sets in scores.items()]
    print(table(["newest text exact", *(one.name for one in sets), "bodies/s"], rows))
    for one in sets[1:]:
        _by_group(one, misses)
    return 0


def _speed(mail: Path) -> None:
    """Print how many emails one core converts per second of CPU time: the best of five rounds."""
    emails = [
        Email(Change(ChangeKind.CREATED, FolderId("f"), ItemId("i")), mime, ItemDetails(size=len(mime)))
        for mime in (path.read_bytes() for path in sorted(mail.rglob("*.eml")))
    ]
    if not emails:
        print(f"There are no .eml files below {mail}.", file=sys.stderr)
        return
    place = EmailLocation("desk@bank.example", ("Inbox",))
    rates = []
    for _ in range(5):
        begun = time.process_time()
        for email in emails:
            convert(email, place)
        rates.append(len(emails) / (time.process_time() - begun))
    size = sum(len(email.mime) for email in emails) / len(emails) / 1000
    print(f"{max(rates):,.0f} emails/s converted on one core ({len(emails)} emails of {size:.1f} kB in {mail})\n")


def _held_out() -> list[Set]:
    return [
        Set(f"held out: {folder.name}", [read(path) for path in files], [_group(path) for path in files])
        for folder in sorted(HELD_OUT.iterdir())
        if folder.is_dir() and (files := files_in(folder))
    ]


def _group(path: Path) -> str:
    """Return the group of a held-out case: the part of the file name before the number, a language or a mail client."""
    match = re.match(r"(.+)-\d+(?:-|$)", path.stem)
    return match[1] if match else "all"


def _installed() -> list[str]:
    installed = []
    for library in PACKAGES:
        try:
            answers(library, [{"plain": "Hello"}])
        except subprocess.CalledProcessError as error:
            print(f"{library} cannot be run here: {(error.stderr or '')[-200:]}", file=sys.stderr)
        else:
            installed.append(library)
    return installed


def _score(library: str, one: Set) -> Score:
    score = Score(of=len(one.cases))
    if library == OURS:
        for case in one.cases:
            begun = time.process_time()
            text = cleaned(case).newest
            score.seconds += time.process_time() - begun
            score.right += folded(text) == folded(case["newest"])
        return score
    inputs: list[dict[str, Any]] = [
        {kind: case[kind] for kind in ("plain", "html") if kind in case} for case in one.cases
    ]
    for case, answer in zip(one.cases, answers(library, inputs), strict=True):
        score.seconds += answer["seconds"]
        score.right += answer["newest"] is not None and folded(answer["newest"]) in _accepted(case)
    return score


def _accepted(case: Case) -> set[str]:
    """Return the texts that count as correct. A library that does not detect signatures may return text and signature."""
    newest, signature = case["newest"], case.get("signature", "")
    joined = f"{newest}\n{signature}"
    return {folded(newest), folded(joined), folded(f"{newest}\n-- \n{signature}")}


def _rate(scores: Sequence[Score]) -> float:
    return sum(score.of for score in scores) / max(1e-9, sum(score.seconds for score in scores))


def _by_group(one: Set, misses: bool) -> None:
    groups: dict[str, list[Case]] = defaultdict(list)
    for name, case in zip(one.groups, one.cases, strict=True):
        groups[name].append(case)
    rows = [
        [name, str(_count(cases, _is_exact)), str(_count(cases, _is_signed))] for name, cases in sorted(groups.items())
    ]
    print(f"\n{one.name}\n" + table(["", "newest exact", "signature exact"], rows))
    if misses:
        for name, cases in sorted(groups.items()):
            for case in cases:
                if not _is_exact(case):
                    print(f"\nwrong result in {name}:\n{cleaned(case).newest}\n--- expected:\n{case['newest']}")


def _count(cases: Sequence[Case], is_right: Callable[[Case], bool]) -> Score:
    return Score(sum(map(is_right, cases)), len(cases))


def _is_exact(case: Case) -> bool:
    return folded(cleaned(case).newest) == folded(case["newest"])


def _is_signed(case: Case) -> bool:
    return folded(cleaned(case).signature) == folded(case.get("signature", ""))
