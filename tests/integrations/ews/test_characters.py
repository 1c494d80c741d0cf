"""Exchange sends characters that XML cannot contain. Only these characters are removed from a text."""

from __future__ import annotations

import pytest

from integrations.ews.operations import parsed

INVALID = {
    "a control": b"\x0b",
    "a reference to a control": b"&#x1;",
    "a decimal reference to a control": b"&#11;",
    "a reference with zeros": b"&#x000B;",
    "half of a pair": b"&#xD83D;",
    "the other half": b"&#56832;",
    "half of a pair in bytes": b"\xed\xa0\xbd",
    "U+FFFE": b"&#xFFFE;",
    "U+FFFF in bytes": b"\xef\xbf\xbf",
    "beyond all characters": b"&#x110000;",
}
VALID = {b"&#x9;": "\t", b"&#13;": "\r", b"&#xFFFD;": "\ufffd", b"&#x1F600;": "\U0001f600", b"\xef\xbf\xbd": "\ufffd"}


@pytest.mark.parametrize("invalid", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_character_is_removed(invalid: bytes) -> None:
    assert parsed(b"<a>x" + invalid + b"y</a>").text == "xy"


@pytest.mark.parametrize(("written", "meant"), VALID.items())
def test_a_valid_character_next_to_an_invalid_one_is_kept(written: bytes, meant: str) -> None:
    assert parsed(b"<a>x&#x1;" + written + b"y</a>").text == f"x{meant}y"
