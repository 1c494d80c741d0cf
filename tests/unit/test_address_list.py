"""A pasted list of mailboxes: what is understood, and which line is to blame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailboxes.address_list import Line, read_list


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a@x.example\nb@x.example\n", [Line(1, "a@x.example"), Line(2, "b@x.example")]),
        ("\ufeffAddress,Bucket\r\na@x.example,bank/desks\r\n", [Line(2, "a@x.example", "bank", "desks")]),
        ('"a@x.example";"bank/desks"', [Line(1, "a@x.example", "bank", "desks")]),
        ("a@x.example\tbank/desks\n\n\n", [Line(1, "a@x.example", "bank", "desks")]),
        ("", []),
    ],
)
def test_lists_are_read_as_people_make_them(text, lines):
    assert read_list(text) == (lines, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a@x.example\nnobody", "Line 2: “nobody” is no email address."),
        ("a@x.example\nA@X.example", "Line 2: A@X.example stands in line 1 already."),
        ("a@x.example,desks", "Line 1: “desks” is no bucket: write project/bucket."),
        ("a@x.example,bank/desks/more", "Line 1: "),
        ('a@x.example\n"b@x.example\n' + "c@x.example\n" * 20_000, "Line 2: a quotation mark is not closed"),
        ('a@x.example\n"b@x.example"s\n', "Line 2: a quotation mark is not closed, or stands in the middle"),
    ],
)
def test_each_bad_line_is_named(text, words):
    assert words in read_list(text)[1][0]


@given(st.text())
def test_whatever_is_pasted_is_read_or_named(text):
    read_list(text)
