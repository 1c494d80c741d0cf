"""Hostile bytes become a valid comment or a named reason, within a limited time, and with the same result each time."""

import json
import multiprocessing
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conversion.transform import Converted, EmailLocation, NotConvertible, convert
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from integrations.reinfer.payload import comment_json

CHANGE = Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"))
DETAILS = ItemDetails(received=datetime(2026, 3, 2, tzinfo=UTC), size=10)
HEAD = b"From: a@b.example\r\nTo: c@d.example\r\nMessage-ID: <1@b>\r\nDate: Sun, 1 Mar 2026 12:00:00 +0000\r\nSubject: s\r\n"
ID = re.compile(r"[\w\x21-\x2e\x3a-\x40\x5b-\x60\x7b-\x7e]{1,1024}")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
SECONDS = 15


def converted(mime):
    return convert(Email(CHANGE, mime, DETAILS), EmailLocation("desk@bank.example", ("Inbox",)))


def text(data, charset=b"utf-8", encoding=b"8bit", subtype=b"plain"):
    kind = b"Content-Type: text/" + subtype + b"; charset=" + charset + b"\r\nContent-Transfer-Encoding: " + encoding
    return HEAD + kind + b"\r\n\r\n" + data


def page(html):
    return text(html.encode(), subtype=b"html")


def assert_valid(outcome):
    if isinstance(outcome, NotConvertible):
        assert outcome.kind in DeadLetterKind
        return
    assert isinstance(outcome, Converted)
    comment = outcome.comment
    assert ID.fullmatch(comment.id)
    assert 1400 <= comment.timestamp.year <= 9999
    message = comment.message
    assert max(map(len, (message.subject, message.body, message.signature))) <= 65_536
    people = (message.sender, *message.to, *message.cc, *message.bcc)
    assert all(len(person) <= 512 for person in people)
    assert max(len(message.to), len(message.cc), len(message.bcc)) <= 2_048
    assert len(comment.attachments) <= 128
    for part in comment.attachments:
        assert len(part.name) <= 256
        assert len(part.content_type) <= 256
        assert part.size >= 0
    sent = comment_json(comment).decode("utf-8", "strict")
    assert not any(FORBIDDEN.search(value) for value in strings(json.loads(sent)))


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("iso-8859-1", "café à la crème"),
        ("windows-1251", "Привет"),
        ("shift_jis", "こんにちは"),
        ("utf-8", "café 日本"),
    ],
)
def test_eight_bit_text_is_decoded_with_its_declared_charset(charset, words):
    outcome = converted(text(words.encode(charset), charset.encode()))
    assert outcome.comment.message.body == words


@pytest.mark.parametrize(
    "label", [b"punycode", b"idna", b"unicode_escape", b"utf-7", b"rot13", b"no-such", b'"', b"\xff"]
)
@pytest.mark.parametrize("encoding", [b"8bit", b"base64", b"quoted-printable", b"7-bit", b"\xff"])
def test_text_with_a_charset_that_is_not_allowed_gives_a_valid_comment(label, encoding):
    assert_valid(converted(text("café".encode(), label, encoding)))


@pytest.mark.parametrize("label", [b"punycode", b"idna", b"unicode_escape"])
def test_the_charset_of_an_attachment_does_not_change_its_size(label):
    part = b"Content-Type: application/x; charset=" + label + b"; name=a.bin\r\n\r\n\xff\xfe\xe9"
    outcome = converted(HEAD + part)
    assert_valid(outcome)
    assert [attachment.size for attachment in outcome.comment.attachments] == [3]


def test_empty_brackets_are_no_message_id():
    first = converted(text(b"one").replace(b"<1@b>", b"<>"))
    other = converted(text(b"two").replace(b"<1@b>", b"<>").replace(b"Subject: s", b"Subject: other"))
    assert first.comment.id != other.comment.id


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", HEAD, HEAD + b"Content-Type: text/html\r\n\r\n"]))
def test_random_bytes_become_a_valid_comment_or_a_reason(rest, head):
    assert_valid(converted(head + rest))
    assert converted(head + rest) == converted(head + rest)


PIECES = [
    *(b"\r\n", b"\n", b"\r\n\r\n", b"--b", b"--b--", b"\r\n--b\r\n", b"message/rfc822", b"multipart/alternative"),
    *(b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html", b"text/plain; charset=", b"utf-16", b"punycode"),
    *(b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: attachment; filename*=idna''%FF", b"name="),
    *(b"=?utf-8?q?=00=0A?=", b"=?utf-16?b?2AA=?=", b"\xff\xfe", b"\x00", b"From: (((((", b'To: "', b"<a@b>"),
    *(b"Date: 99 Foo 99999", b"On 1 May 2026, A wrote:\n> q\n", b"-- \nAnn", b"From: x\nSent: 1\nSubject: y\n"),
    *(b"<blockquote type=cite>", b"</blockquote>", b'<div class="gmail_quote">', b"</div>", b"&#xFDD0;", b"&#64976;"),
    *(b"&#0;", b"&#xD800;", b"\xef\xb7\x90"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30), st.booleans())
@example([b"Content-Type: ", b"--b", b"message/rfc822", b"\x00"], False)
def test_random_combinations_of_pieces_of_mail_become_a_valid_comment_or_a_reason(pieces, with_head):
    mime = (HEAD if with_head else b"") + b"".join(pieces)
    assert_valid(converted(mime))
    assert converted(mime) == converted(mime)


HOSTILE = {
    "nested containers of quotes": page('<div class="gmail_quote">' * 50_000 + "x"),
    "citations side by side": page("a<blockquote type=cite>q</blockquote>" * 20_000),
    "citations in one another": page("x<blockquote type=cite>" * 30_000),
    "hidden elements": page('<p style="display:none">a</p>' * 50_000 + "x"),
    "signatures side by side": page('x<div class="gmail_signature">a</div>' * 20_000),
    "elements in one another": page("<div>" * 50_000 + "x"),
    "entities": page("&amp" * 300_000),
    "brackets": page("<" * 500_000),
    "blanks": text(b" " * 1_000_000),
    "line breaks": text(b"\n" * 1_000_000),
    "dashes": text(b"-" * 1_000_000),
    "lines of dashes": text(b"-- \n" * 250_000),
    "quoted lines": text(b"> \n" * 300_000),
    "attributions": text(b"On 1 May 2026, A wrote:\n" * 40_000),
    "header blocks": text(b"\nFrom: a\n" * 100_000),
    "punycode": text(b"a" * 600_000 + b"\xe9", b"punycode"),
    "parts in parts": HEAD
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(5000)),
    "parts side by side": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "comments in comments": text(b"x").replace(b"a@b.example", b"(" * 20_000),
    "encoded words": text(b"x").replace(b"Subject: s", b"Subject: " + b"=?utf-8?q?a?= " * 70_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_converted_in_bounded_time(name):
    process = multiprocessing.get_context("fork").Process(target=_convert_and_check, args=(HOSTILE[name],))
    process.start()
    process.join(SECONDS)
    late = process.is_alive()
    if late:
        process.kill()
        process.join()
    assert not late, f"not done after {SECONDS} s"
    assert process.exitcode == 0


def _convert_and_check(mime):
    assert_valid(converted(mime))
