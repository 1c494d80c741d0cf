"""A pasted list of mailboxes: the formats that are accepted, and the line that an error names."""

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
def test_lists_in_common_formats_are_parsed(text, lines):
    assert read_list(text) == (lines, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a@x.example\nnobody", "Line 2: “nobody” is not an email address."),
        ("a@x.example\nA@X.example", "Line 2: A@X.example is already in line 1."),
        ("a@x.example,desks", "Line 1: “desks” is not a bucket. Write project/bucket."),
        ("a@x.example,bank/desks/more", "Line 1: "),
        ('a@x.example\n"b@x.example\nc@x.example', "Line 2: The line cannot be parsed. Close each quotation mark"),
        (f"a@x.example\n{'x' * 200_000}", "Line 2: The line cannot be parsed."),
    ],
)
def test_an_error_names_its_line(text, message):
    assert message in str(read_list(text)[1][0])


def test_an_unclosed_quotation_mark_affects_only_its_line():
    lines, problems = read_list('"a@x.example\n' + "".join(f"box{n}@x.example\n" for n in range(4_000)))
    assert [line.number for line in lines] == list(range(2, 4_002))
    assert [problem.number for problem in problems] == [1]


@given(st.text())
def test_no_text_raises_an_exception(text):
    read_list(text)
