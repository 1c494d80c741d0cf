"""Cleaning, by the cases in `cases/`: each file is a body and what should come of it. See README.md beside this."""

import re
from pathlib import Path

import pytest

from sync.cleaning import clean
from sync.limits import DEFAULT_LIMITS
from sync.mime.parts import Section

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def read(path):
    pieces = re.split(r"^=== (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.removesuffix("\n") for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def cleaned_case(case):
    sections = [Section(case.get("plain"), case.get("html"))]
    return clean(sections, case.get("subject", ""), DEFAULT_LIMITS, case.get("from", ""))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path):
    case = read(path)
    cleaned = cleaned_case(case)
    assert cleaned.newest == case["newest"]
    assert cleaned.signature == case.get("signature", "")


def test_there_are_cases():
    assert len(CASES) >= 150
