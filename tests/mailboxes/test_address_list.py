"""A pasted list of mailboxes: what is understood, and which line is to blame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailboxes.address_list import AddressLine, read_list


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a@x.example\nb@x.example\n", [AddressLine(1, "a@x.example"), AddressLine(2, "b@x.example")]),
        ("\ufeffAddress,Bucket\r\na@x.example,bank/desks\r\n", [AddressLine(2, "a@x.example", "bank", "desks")]),
        ('"a@x.example";"bank/desks"', [AddressLine(1, "a@x.example", "bank", "desks")]),
        ("a@x.example\tbank/desks\n\n\n", [AddressLine(1, "a@x.example", "bank", "desks")]),
        ("", []),
    ],
)
def test_lists_are_read_as_people_make_them(text, lines):
    assert read_list(text) == (lines, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a@x.example\nnobody", "Line 2: “nobody” is not an email address."),
        ("a@x.example\nA@X.example", "Line 2: A@X.example is already in line 1."),
        ("a@x.example,desks", "Line 1: “desks” is not a bucket. Write project/bucket."),
        ("a@x.example,bank/desks/more", "Line 1: "),
        ('a@x.example\n"b@x.example\nc@x.example', "Line 2: The line cannot be parsed. Close each quotation mark"),
        (f"a@x.example\n{'x' * 200_000}", "Line 2: The line cannot be parsed."),
    ],
)
def test_each_bad_line_is_named(text, words):
    assert words in str(read_list(text)[1][0])


def test_a_quotation_mark_that_is_not_closed_swallows_no_other_line():
    lines, problems = read_list('"a@x.example\n' + "".join(f"box{n}@x.example\n" for n in range(4_000)))
    assert [line.number for line in lines] == list(range(2, 4_002))
    assert [problem.number for problem in problems] == [1]


@given(st.text())
def test_whatever_is_pasted_is_read_or_named(text):
    read_list(text)
