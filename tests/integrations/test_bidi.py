"""`closed` appends the characters that end open bidirectional formatting of a text."""

from __future__ import annotations

import pytest

from integrations.bidi import closed


@pytest.mark.parametrize(
    "text", ["", "plain", "שלום", "\u202eoverridden\u202c", "\u2066isolated\u2069", "\u2066\u202e\u2069"]
)
def test_a_text_without_open_formatting_is_unchanged(text):
    assert closed(text) == text


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("\u202eopen", "\u202c"),
        ("\u2067open", "\u2069"),
        ("\u202e\u2066open", "\u2069\u202c"),
        ("\u2066\u202e\u2069\u202bopen", "\u202c"),
        ("\u2066\u202c\u202aopen", "\u202c\u2069"),
        ("\u2069\u202c\u202eopen", "\u202c"),
    ],
)
def test_open_formatting_is_closed_from_the_inside_out(text, ends):
    assert closed(text) == text + ends
