"""The MIME texts of an answer come out as they are, however the base64 is laid out, and the rest stays an answer."""

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
def test_a_text_is_decoded_however_it_is_laid_out(text: bytes) -> None:
    texts = MimeTexts(b'<a><t:MimeContent CharacterSet="UTF-8">' + text + b"</t:MimeContent><b/></a>")
    assert texts.rest == b'<a><t:MimeContent CharacterSet="UTF-8">0</t:MimeContent><b/></a>'
    assert texts.decoded("0") == MIME


@pytest.mark.parametrize("text", [b"no base64!", b"QUJ", b"QUJD&amp;", b"QUJD=QUJD"])
def test_what_is_no_base64_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any of them will do)
        MimeTexts(b"<MimeContent>" + text + b"</MimeContent>").decoded("0")


def test_texts_keep_their_numbers_and_an_answer_without_any_stays_as_it_is() -> None:
    texts = MimeTexts(b"<a><MimeContent>QQ==</MimeContent><MimeContent/><MimeContent>Qg==</MimeContent></a>")
    assert [texts.decoded(number) for number in ("0", "1")] == [b"A", b"B"]
    assert MimeTexts(b"<a>MimeContent</a>").rest == b"<a>MimeContent</a>"
