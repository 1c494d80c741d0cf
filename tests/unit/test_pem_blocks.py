"""PEM blocks are found in a text that somebody pasted: the same ones as before, in linear time."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.certificates import labelled_blocks
from tests.sweep.growth import growth

FORMER = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
"""The definition that took quadratic time: for each beginning without an end, it went through the rest of the text."""
PIECES = [
    "-----BEGIN A-----",
    "-----END A-----",
    "-----BEGIN B-----",
    "-----END B-----",
    "BEGIN A",
    "END A-----",
    "-",
    "-----",
    "\n",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("-----BEGIN A----------BEGIN A----------END A-----")
@example("-----BEGIN A-----BEGIN A----------END A-----")
@example("-----BEGIN A----------END B-----END A-----")
def test_the_blocks_are_those_of_the_former_expression(text):
    assert labelled_blocks(text) == [(match[1], match[0]) for match in FORMER.finditer(text)]


@pytest.mark.parametrize("piece", ["-----BEGIN A-----", "-----BEGIN A-----\n-----END B-----\n", "-----END A-----", "-"])
def test_a_text_without_the_end_of_a_block_takes_linear_time(piece):
    result = growth(labelled_blocks, lambda repeats: piece * repeats, len(piece))
    assert not result.fails, result
