"""The tests that docs/guarantees.md names exist, and the faults on that page are numbered in order."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text()


def test_every_test_that_the_guarantees_name_exists():
    existing = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    assert not set(re.findall(r"`(test_\w+)`", GUARANTEES)) - existing


def test_the_faults_are_numbered_in_order_and_without_a_gap_up_to_45():
    """The first 45 faults were listed in advance. The others were found in use, and each is added after it was fixed."""
    numbers = [int(number) for number in re.findall(r"^\| F(\d+) ", GUARANTEES, re.M)]
    assert numbers[:45] == list(range(1, 46))
    assert numbers == sorted(set(numbers))
