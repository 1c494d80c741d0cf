"""What XML cannot carry, and Exchange sends nevertheless, costs that character and nothing else."""

from __future__ import annotations

import pytest

from integrations.ews.operations import parsed

NONE = {
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
KEPT = {b"&#x9;": "\t", b"&#13;": "\r", b"&#xFFFD;": "\ufffd", b"&#x1F600;": "\U0001f600", b"\xef\xbf\xbd": "\ufffd"}


@pytest.mark.parametrize("nothing", NONE.values(), ids=NONE.keys())
def test_what_is_no_character_is_left_out(nothing: bytes) -> None:
    assert parsed(b"<a>x" + nothing + b"y</a>").text == "xy"


@pytest.mark.parametrize(("written", "meant"), KEPT.items())
def test_what_is_a_character_stays_beside_what_is_none(written: bytes, meant: str) -> None:
    assert parsed(b"<a>x&#x1;" + written + b"y</a>").text == f"x{meant}y"
