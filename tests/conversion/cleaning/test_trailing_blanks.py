"""Blanks at the end of lines are taken away: the same ones as before, in linear time."""

import re

from hypothesis import given
from hypothesis import strategies as st

from conversion.cleaning.text import without_trailing_blanks

FORMER = re.compile(r"[^\S\n]+(?=\n|$)")
"""The definition that took quadratic time: each blank of a run was tried as its beginning."""


@given(st.text(st.sampled_from(" \t\r\n\v\f\x1c\x85\u00a0\u2028\u3000\u200bab-"), max_size=40))
def test_blanks_at_the_end_of_lines_are_those_of_the_former_expression(text):
    assert without_trailing_blanks(text) == FORMER.sub("", text)
