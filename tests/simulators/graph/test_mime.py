"""The MIME that Graph renders has other bytes than the MIME of EWS, but the same content."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from itertools import islice
from typing import Any

import pytest

from simulators.exchange import correspondence, mail_of
from simulators.graph.mime import rendered
from tests.mails import mail
from tests.simulators.graph.conftest import Reader

REAL = [written.mime for written in islice(correspondence("desk@bank.example", 5), 60)]


def content(mime: bytes) -> list[object]:
    """Return the content of an email, independent of its encoding: unfolded headers by name, then each decoded part."""
    message = message_from_bytes(mime)
    return list(_content(message, top=True))


def _content(part: Message, *, top: bool = False) -> Iterator[object]:
    ignored = {"content-type", "content-transfer-encoding"}
    yield sorted(
        (name.casefold(), "".join(str(value).splitlines()))
        for name, value in part.raw_items()
        if name.casefold() not in ignored
    )
    yield part.get_content_type(), part.get_content_charset(), part.get_filename()
    payload: Any = part.get_payload()
    if part.get_content_maintype() == "multipart":
        for child in payload:
            yield from _content(child)
    elif part.is_multipart():
        yield payload[0].as_bytes(policy=policy.compat32.clone(linesep="\r\n"))
    else:
        yield part.get_payload(decode=True)


@pytest.mark.parametrize("mime", REAL, ids=range(len(REAL)))
def test_an_ordinary_email_is_written_anew_with_the_same_content(mime: bytes) -> None:
    again = rendered(mime)
    assert content(again) == content(mime)
    assert again != mime
    assert rendered(mime) == again


def test_headers_encoding_and_boundaries_differ() -> None:
    mime = next(written for written in REAL if b"multipart/alternative" in written)
    before, after = message_from_bytes(mime), message_from_bytes(rendered(mime))
    assert before.get_boundary() != after.get_boundary()
    assert list(before.keys()) != list(after.keys())
    assert {part["Content-Transfer-Encoding"] for part in after.walk() if not part.is_multipart()} <= {
        "base64",
        "quoted-printable",
    }


def test_headers_of_one_name_keep_their_order_and_long_headers_are_folded() -> None:
    long = "Subject: " + " ".join(["word"] * 40)
    mime = f"Received: by second\r\nReceived: by first\r\n{long}\r\nFrom: a@x\r\n\r\nHello".encode()
    after = message_from_bytes(rendered(mime))
    assert after.get_all("Received") == ["by second", "by first"]
    assert "\n" in after["Subject"]
    assert content(rendered(mime)) == content(mime)


def forwarded() -> bytes:
    outer, inner = EmailMessage(), EmailMessage()
    inner["Subject"], inner["From"] = "Inner", "b@x"
    inner.set_content("From the start\n\nÜber\n")
    outer["Subject"], outer["From"] = "Outer", "a@x"
    outer.set_content("see below")
    outer.add_attachment(inner)
    return outer.as_bytes(policy=policy.SMTP)


SIGNED = (
    b"From: a@x\r\nSubject: s\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\n"
    b'Content-Type: multipart/signed; micalg=sha-256; protocol="application/pkcs7-signature"; boundary=b\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nsigned  \r\n--b\r\nContent-Type: application/pkcs7-signature\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"
)


def test_an_attached_email_keeps_its_content() -> None:
    assert content(rendered(forwarded())) == content(forwarded())
    assert b"From the start" in rendered(forwarded())


def test_a_signed_email_keeps_the_bytes_of_its_body() -> None:
    assert rendered(SIGNED).partition(b"\r\n\r\n")[2] == SIGNED.partition(b"\r\n\r\n")[2]
    assert rendered(SIGNED) != SIGNED


@pytest.mark.parametrize(
    "mime",
    [
        b"",
        b"\r\n",
        b"no header at all",
        b"Subject: x\r\nthis line is no header\r\nFrom: a@x\r\n\r\nhello",
        b"Subject: nothing below",
        b"Subject: x\r\n\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nnever closed",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!! no base64 !!!",
        b"Content-Transfer-Encoding: x-uuencode\r\nFrom: a@x\r\n\r\nbegin 644 a\n#86)C\n`\nend\n",
        b"Subject: \xff\xfe\x00 raw\r\nFrom: a@x\r\n\r\n\x00\xff",
        b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhello",
        b"Subject: " + b"x " * 100_000 + b"\r\n\r\nhello",
    ],
)
def test_a_broken_email_is_returned_with_the_same_content(mime: bytes) -> None:
    again = rendered(mime)
    assert message_from_bytes(again).get_payload() == message_from_bytes(mime).get_payload() or content(
        again
    ) == content(mime)


def test_dollar_value_returns_the_rendered_email(reader: Reader) -> None:
    item = reader.deliver("a", body="Grüße aus Köln")
    row = reader.get("mailFolders/inbox/messages", select="id").json()["value"][0]
    answer = reader.get(f"messages/{row['id']}/$value")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain")
    assert answer.content == rendered(item.mail.content())
    assert content(answer.content) == content(item.mail.content())
    assert reader.get(f"mailFolders/inbox/messages/{row['id']}/$value").content == answer.content
    assert mail_of(answer.content).message_id == mail_of(mail("a")).message_id
