"""`labelled_blocks` finds the same PEM blocks as a regular expression that takes quadratic time."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from integrations.certificates import labelled_blocks

REFERENCE = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
"""The regular expression with the expected result. For each BEGIN without an END, it searches the rest of the text."""
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
def test_the_blocks_equal_those_of_the_regular_expression(text):
    assert labelled_blocks(text) == [(match[1], match[0]) for match in REFERENCE.finditer(text)]
