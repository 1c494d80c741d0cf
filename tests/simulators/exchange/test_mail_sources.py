"""The mail of the simulators: mail files of several formats, and a generated correspondence."""

from __future__ import annotations

import itertools
import mailbox as mailboxes
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from simulators.exchange import correspondence, mail_of, mails_below
from tests.mails import NOON, mail

RECEIVED = b"Received: from a by b; Mon, 02 Mar 2026 10:00:00 +0100\r\n"


def subjects(folder: Path) -> list[str]:
    return [mail_of(mime).subject for _, mime in mails_below(folder)]


def test_emails_of_all_kinds_of_stores_are_found_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail("eml"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "msg_01.txt").write_bytes(mail("text"))
    box = mailboxes.mbox(str(tmp_path / "c.mbox"))
    for name in ("mbox one", "mbox two"):
        box.add(mail(name, message_id="<m@x>"))
    box.close()
    maildir = mailboxes.Maildir(str(tmp_path / "d"))
    maildir.add(mail("maildir", message_id="<d@x>"))
    (tmp_path / "d" / "tmp" / "half").write_bytes(mail("half written", message_id="<h@x>"))
    (tmp_path / "e.txt").write_text("a shopping list\nbread\n")
    (tmp_path / "f.bin").write_bytes(b"\0" * 5000)
    (tmp_path / "g").write_bytes(b"")
    assert subjects(tmp_path) == ["About eml", "About text", "About mbox one", "About mbox two", "About maildir"]


def test_emails_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        (tmp_path / f"{name}.eml").write_bytes(mail(name))
    assert subjects(tmp_path) == ["About a", "About b", "About c"]


def test_an_empty_folder_has_no_mail(tmp_path: Path) -> None:
    assert list(mails_below(tmp_path)) == []


def test_listed_properties_are_read_from_the_headers() -> None:
    made = mail_of(RECEIVED + b"Importance: HIGH\r\n" + mail("a"))
    assert (made.message_id, made.subject, made.importance) == ("<a@north.example>", "About a", "High")
    assert made.received == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert made.size == len(made.content())
    assert mail_of(mail("a")).received == NOON


@pytest.mark.parametrize(
    ("header", "subject", "topic"),
    [
        ("=?utf-8?b?5Y+j5bqn?=", "口座", "口座"),
        ("Re: =?iso-8859-1?q?R=E9clamation?= 7", "Re: Réclamation 7", "Réclamation 7"),
        ("AW: WG: Konto", "AW: WG: Konto", "WG: Konto"),
        ("Fw:Konto", "Fw:Konto", "Konto"),
        ("12: no prefix", "12: no prefix", "12: no prefix"),
        ("Note: no prefix", "Note: no prefix", "Note: no prefix"),
        ("=?no-such-charset?q?x?=", "=?no-such-charset?q?x?=", "=?no-such-charset?q?x?="),
    ],
)
def test_subjects_are_decoded_and_topics_have_no_prefix(header: str, subject: str, topic: str) -> None:
    made = mail_of(f"Subject: {header}\r\n\r\n".encode())
    assert (made.subject, made.topic) == (subject, topic)


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"\0" * 100, b"\xff\xfe" * 50, b"Date: 99 Foo 99999\r\n\r\n",
        b"Date: Mon, 1 Jan 0001 00:00:00 +2400\r\n\r\n",
        b"Subject: \x01\x02=?utf-8?b?/////w==?=\r\n\r\n", b"Message-ID:\r\n <a\r\n b>\r\n\r\n", b"no head at all",
    ],
)  # fmt: skip
def test_properties_of_an_invalid_email_are_valid_in_xml(junk: bytes) -> None:
    made = mail_of(junk, fallback=NOON)
    assert made.received is not None
    assert all(character.isprintable() or character.isspace() for character in made.subject + made.message_id)


def test_a_correspondence_is_the_same_to_the_byte_each_time() -> None:
    first, again, other = (
        [(one.mime, one.received) for one in itertools.islice(correspondence("desk@bank.example", seed), 60)]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_correspondence_has_unique_ids_and_consistent_threads() -> None:
    written = list(itertools.islice(correspondence("desk@bank.example", 3), 120))
    ids = [one.message_id for one in written]
    assert len(set(ids)) == 120
    assert [one.received for one in written] == sorted(one.received for one in written)
    answers = 0
    for place, one in enumerate(written):
        message = message_from_bytes(one.mime, policy=policy.default)
        assert message["Message-ID"] == one.message_id
        assert not message.defects
        if (earlier := message["In-Reply-To"]) is not None:
            answers += 1
            assert earlier in ids[:place]
            assert message["References"].split()[-1] == earlier
    assert answers > 20


def test_images_of_a_correspondence_are_inline_and_shown_by_its_html() -> None:
    shown = 0
    for one in itertools.islice(correspondence("desk@bank.example", 3), 120):
        message = message_from_bytes(one.mime, policy=policy.default)
        for part in message.walk():
            if part.get_content_type() == "image/png":
                html = message.get_body(("html",))
                assert html is not None
                assert f'src="cid:{part["Content-ID"].strip("<>")}"' in html.get_content()
                shown += 1
    assert shown > 5
