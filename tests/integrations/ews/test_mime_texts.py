"""The MIME texts of a response are decoded for each layout of the Base64. In the XML, a number replaces each text."""

from __future__ import annotations

import base64

import pytest

from integrations.ews.mime_texts import MimeTexts

MIME = bytes(range(256)) * 4
LAYOUTS = {
    "in one piece": base64.b64encode(MIME),
    "in lines": base64.encodebytes(MIME),
    "in lines of Windows": base64.encodebytes(MIME).replace(b"\n", b"\r\n"),
    "in lines that XML wrote": base64.encodebytes(MIME).replace(b"\n", b"&#xD;\n"),
    "with references alone": base64.encodebytes(MIME).replace(b"\n", b"&#13;&#10;"),
    "indented": b"\t " + base64.b64encode(MIME),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_text_is_decoded_for_each_layout(text: bytes) -> None:
    texts = MimeTexts(b'<a><t:MimeContent CharacterSet="UTF-8">' + text + b"</t:MimeContent><b/></a>")
    assert texts.rest == b'<a><t:MimeContent CharacterSet="UTF-8">0</t:MimeContent><b/></a>'
    assert texts.decoded("0") == MIME


@pytest.mark.parametrize("text", [b"no base64!", b"QUJ", b"QUJD&amp;", b"QUJD=QUJD"])
def test_invalid_base64_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any ValueError)
        MimeTexts(b"<MimeContent>" + text + b"</MimeContent>").decoded("0")


def test_texts_are_numbered_in_order_and_a_response_without_any_is_unchanged() -> None:
    texts = MimeTexts(b"<a><MimeContent>QQ==</MimeContent><MimeContent/><MimeContent>Qg==</MimeContent></a>")
    assert [texts.decoded(number) for number in ("0", "1")] == [b"A", b"B"]
    assert MimeTexts(b"<a>MimeContent</a>").rest == b"<a>MimeContent</a>"
