"""Read the test cases for cleaning, which are files. README.md in this folder describes their format."""

from __future__ import annotations

import re
from pathlib import Path

from conversion.cleaning import CleanText, clean
from conversion.limits import DEFAULT_LIMITS
from conversion.mime.parts import Section

CASES = Path(__file__).parent / "cases"
HELD_OUT = Path(__file__).parent / "held_out"


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.txt"))


def read(path: Path) -> dict[str, str]:
    """Return the sections of a test case by name."""
    pieces = re.split(r"^=== (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.removesuffix("\n") for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def cleaned(case: dict[str, str]) -> CleanText:
    sections = [Section(case.get("plain"), case.get("html"))]
    return clean(sections, case.get("subject", ""), DEFAULT_LIMITS, case.get("from", ""))


def folded(text: str) -> str:
    return " ".join(text.split())


def is_right(case: dict[str, str], newest: str) -> bool:
    """Return whether a text is the expected one, apart from white space."""
    return folded(newest) == folded(case["newest"])
