"""PEM blocks are found in a text that somebody pasted: the same ones as before, in linear time."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from integrations.certificates import labelled_blocks

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
