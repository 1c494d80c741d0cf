"""Detection of bytes that a server returned instead of an email."""

import mailbox
from pathlib import Path

import pytest

from conversion.mime.head import field_names, reason_not_an_email
from simulators import pages
from tests.mails import mail

OF_PYTHON = Path(mailbox.__file__).parent / "test" / "test_email" / "data"
FIELDS = b"From: ann@north.example\r\nDate: Sun, 1 Mar 2026 12:00:00 +0000\r\nMessage-ID: <a@b>\r\nSubject: x\r\n"


def wrong(mime, *, has_message_id=True, listed=True):
    return reason_not_an_email(mime, has_message_id=has_message_id, listed=listed)


@pytest.mark.parametrize(
    "mime",
    [
        mail("a"),
        mail("a").replace(b"\n", b"\r\n"),
        FIELDS,
        b"X-Of-Nobody_knows.it: 1\r\n" + FIELDS + b"\r\nText",
        b"Subject:\r\n folded\r\n\tover lines\r\n" + FIELDS + b"\r\nText",
        b"From ann@north.example Sun Mar  1 12:00:00 2026\r\n" + FIELDS + b"\r\nText",
        b">From ann@north.example Sun Mar  1 12:00:00 2026\r\n" + FIELDS + b"\r\nText",
        b"\xef\xbb\xbf" + FIELDS + b"\r\nText",
        b"\r\n\r\n" + FIELDS + b"\r\nText",
        b"a line that is no field\r\n" + FIELDS + b"\r\nText",
        b"Subject : x\r\n" + FIELDS + b"\r\nText",
        FIELDS.replace(b"\r\n", b"\r") + b"\rText",
        FIELDS + b"\r\n<html><body>{}</body></html>",
    ],
)
def test_bytes_that_mail_programs_read_as_an_email_are_an_email(mime):
    assert wrong(mime, has_message_id=False) == ""


@pytest.mark.parametrize("kind", pages.KINDS)
@pytest.mark.parametrize("listed", [True, False])
def test_a_response_of_a_proxy_is_not_an_email(kind, listed):
    assert wrong(pages.replacement_body(mail("a"), kind), has_message_id=False, listed=listed)


@pytest.mark.parametrize(
    "page",
    [
        b" \r\n ",
        b"upstream connect error or disconnect/reset before headers",
        b"Error: the service is unavailable",
        b"Error: the service is unavailable\n",
        b"Blocked\r\nDate: Sun, 1 Mar 2026 12:00:00 +0000\r\nURL: https://x.example\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nDate: Sun, 1 Mar 2026 12:00:00 GMT\r\nContent-Type: text/html\r\n\r\n<html>",
        b'{"error":{"code":"UnknownError"}}',
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<s:Envelope xmlns:s='x'>\n</s:Envelope>\n\n",
        b"[1]",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7\nFrom: x\n",
    ],
)
def test_other_bytes_are_not_an_email_even_if_no_message_id_is_listed(page):
    assert wrong(page, has_message_id=False, listed=False)


def test_bytes_without_the_listed_message_id_are_not_an_email():
    without = FIELDS.replace(b"Message-ID: <a@b>\r\n", b"") + b"\r\nText"
    assert wrong(without, has_message_id=False, listed=True)
    assert wrong(without, has_message_id=False, listed=False) == ""
    assert wrong(b"Message-ID: <other@b>\r\n" + without, has_message_id=True, listed=True) == ""


def test_unknown_fields_are_an_email_if_no_message_id_is_listed():
    assert wrong(b"Of-Ours: 1\r\nAnd-More: 2\r\n 3\r\n\r\nText", has_message_id=False, listed=False) == ""


@pytest.mark.parametrize("cut", range(1, len(FIELDS), 7))
def test_bytes_that_end_within_a_header_line_are_not_an_email(cut):
    piece = FIELDS[:cut]
    assert bool(wrong(piece, listed=False)) is not piece.endswith((b"\r", b"\n"))


def test_only_the_names_of_header_fields_are_returned():
    mime = b"\xef\xbb\xbfjunk\nRECEIVED : x\nTo: a\n b: folded\n\nReceived-SPF: body\nBcc: body\n"
    assert field_names(mime) == {b"received", b"to"}


@pytest.mark.skipif(not OF_PYTHON.is_dir(), reason="this Python came without its own tests")
def test_the_emails_of_python_s_own_tests_are_emails_except_one_without_a_header():
    none = [path.name for path in OF_PYTHON.glob("msg_*.txt") if wrong(path.read_bytes(), listed=False)]
    assert none == ["msg_19.txt"]


def test_the_names_of_a_header_with_millions_of_lines_are_read():
    assert field_names(b"a:\n" * 8_000_000) == {b"a"}
