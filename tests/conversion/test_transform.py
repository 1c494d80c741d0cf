"""Conversion of an email into a comment: ids, times, properties, limits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conversion.limits import DEFAULT_LIMITS
from conversion.mime.nesting import until_too_deep
from conversion.transform import (
    ENCRYPTED_TEXT,
    OPAQUE_TEXT,
    TNEF_TEXT,
    Converted,
    EmailLocation,
    NotConvertible,
    convert,
)
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from simulators.reinfer.contract import check_sync
from tests.mails import NOON, mail

CHANGE = Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"))
PLACE = EmailLocation("desk@bank.example", ("Inbox", "Trades"))
DETAILS = ItemDetails(received=NOON, size=1234, importance="Normal", sensitivity="Normal", conversation_topic="About a")


DATE = "Date: Mon, 2 Mar 2026 09:00:00 +0000"


def converted(mime, details=DETAILS, limits=DEFAULT_LIMITS):
    outcome = convert(Email(CHANGE, mime, details), PLACE, limits)
    assert isinstance(outcome, Converted), outcome
    return outcome


def comment(mime, **values):
    return converted(mime, **values).comment


def raw(*headers, body="Text"):
    return "\r\n".join([*headers, "", body]).encode()


# ---- identity -----------------------------------------------------------------------------------------------------


def test_the_comment_id_is_the_hex_of_the_message_id_with_its_brackets():
    assert comment(mail("a")).id == b"<a@north.example>".hex()


def test_a_folded_message_id_is_unfolded_and_trimmed():
    folded = raw("Message-ID:\r\n  <a@north.example> ", "Date: Mon, 2 Mar 2026 09:00:00 +0000")
    assert comment(folded).id == b"<a@north.example>".hex()


def test_a_message_id_over_512_bytes_becomes_its_digest():
    long = "<" + "x" * 600
    one, other = (comment(raw(f"Message-ID: {long}{end}", DATE)) for end in ("@x>", "@y>"))
    assert len(one.id) == len(other.id) == 64
    assert one.id != other.id


def test_an_email_without_a_message_id_gets_a_generated_comment_id_and_a_property():
    made = comment(mail("a", message_id=None))
    assert len(made.id) == 64
    assert made.properties["string:Message ID Origin"] == "Generated"
    assert comment(mail("a", message_id=None, body="Rendered anew")).id == made.id
    assert comment(mail("a", message_id=None, subject="Another")).id != made.id


def test_the_thread_is_the_first_reference_or_in_reply_to_or_the_email_itself():
    date = "Date: Mon, 2 Mar 2026 09:00:00 +0000"
    own = "Message-ID: <c@x>"
    assert comment(raw(own, date, "References: <a@x>\r\n <b@x>", "In-Reply-To: <b@x>")).thread_id == b"<a@x>".hex()
    assert comment(raw(own, date, "In-Reply-To: <b@x>")).thread_id == b"<b@x>".hex()
    assert comment(raw(own, date)).thread_id == b"<c@x>".hex()


# ---- time ---------------------------------------------------------------------------------------------------------


def test_the_timestamp_is_the_date_header_in_utc():
    made = comment(
        raw("Message-ID: <a@x>", "Date: Mon, 2 Mar 2026 09:00:00 +0100"), details=replace(DETAILS, received=None)
    )
    assert made.timestamp == made.message.sent_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "date", ["soon", "Mon, 99 Mar 2026 09:00:00", "", "Thu, 1 Jan 99999 00:00", "Fri, 31 Dec 9999 23:59:59 +0000"]
)
def test_the_received_time_replaces_an_invalid_date(date):
    made = comment(raw("Message-ID: <a@x>", f"Date: {date}"))
    assert (made.timestamp, made.message.sent_at) == (NOON, None)


def test_a_date_in_the_year_1601_is_valid():
    made = comment(raw("Message-ID: <a@x>", "Date: Mon, 1 Jan 1601 00:00:00 +0000"))
    assert made.timestamp == datetime(1601, 1, 1, tzinfo=UTC)


def test_a_date_more_than_a_day_after_the_arrival_is_ignored():
    late = replace(DETAILS, received=NOON - timedelta(days=2))
    assert comment(mail("a"), details=late).timestamp == late.received
    early = replace(DETAILS, received=NOON - timedelta(hours=23))
    assert comment(mail("a"), details=early).timestamp == NOON


def test_an_email_without_any_time_is_not_convertible():
    outcome = convert(Email(CHANGE, mail("a", sent=None), replace(DETAILS, received=None)), PLACE)
    assert isinstance(outcome, NotConvertible)
    assert outcome.kind is DeadLetterKind.NO_DATE


# ---- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("=?utf-8?B?w4RuZGVydW5n?= der =?iso-8859-1?Q?Bankverbindung?=", "Änderung der Bankverbindung"),
        ("Änderung", "Änderung"),
        ("folded\r\n over two lines", "folded over two lines"),
        ("=?utf-8?B?broken", "=?utf-8?B?broken"),
        ("=?unknown-8bit?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?two=0D=0Alines?=", "two lines"),
    ],
)
def test_subjects_are_decoded(header, subject):
    assert comment(raw("Message-ID: <a@x>", DATE, f"Subject: {header}")).message.subject == subject


def test_raw_latin_1_headers_are_read_as_windows_1252():
    mime = b"Message-ID: <a@x>\r\n" + DATE.encode() + b"\r\nSubject: Gr\xfc\xdfe \x80\r\n\r\nText"
    assert comment(mime).message.subject == "Grüße €"


def test_correspondents_are_name_and_address():
    made = comment(
        raw(
            "Message-ID: <a@x>",
            DATE,
            'From: "Field, Ann" <ann@north.example>',
            "To: =?utf-8?Q?J=C3=B6rg?= <joerg@sued.example>, desk@bank.example",
            "To: third@bank.example",
            "Cc: undisclosed-recipients:;",
            "Bcc: (a comment) hidden@bank.example",
        )
    )
    message = made.message
    assert message.sender == "Field, Ann <ann@north.example>"
    assert message.to == ("Jörg <joerg@sued.example>", "desk@bank.example", "third@bank.example")
    assert message.cc == ()
    assert message.bcc == ("a comment <hidden@bank.example>",)
    assert made.properties["string:Sender Domain"] == "north.example"
    assert made.properties["string:Recipient Domain"] == "sued.example, bank.example"


@pytest.mark.parametrize("separator", ["", "\r\n "], ids=["in one line", "folded"])
def test_addresses_in_deeply_nested_groups_are_kept(separator):
    to = f"To: {f'team:{separator}' * 1000}Ann <ann@north.example>, bob@north.example;"
    assert comment(raw("Message-ID: <a@x>", DATE, to)).message.to == (
        "team", "Ann <ann@north.example>", "bob@north.example",
    )  # fmt: skip


def test_groups_beside_each_other_are_read_as_groups():
    to = "To: " + ", ".join(f"team{number}: a{number}@x.example;" for number in range(300))
    assert comment(raw("Message-ID: <a@x>", DATE, to)).message.to == tuple(f"a{n}@x.example" for n in range(300))


def test_participants_are_all_addresses_in_lower_case():
    mime = raw(
        "Message-ID: <a@x>", DATE, "From: A@X.example", "Sender: b@x.example", "To: c@x.example", "Bcc: d@x.example"
    )
    assert converted(mime).participants == {"a@x.example", "b@x.example", "c@x.example", "d@x.example"}


# ---- properties and attachments -----------------------------------------------------------------------------------


def test_properties_contain_the_location_of_the_email_and_the_details_of_exchange():
    details = replace(DETAILS, importance="High", categories=("Red", "Blue"))
    properties = comment(mail("a"), details=details).properties
    assert properties["string:Folder"] == "Inbox/Trades"
    assert properties["string:Mailbox"] == "desk@bank.example"
    assert properties["string:Message ID"] == "<a@north.example>"
    assert properties["string:Importance"] == "High"
    assert properties["string:Categories"] == "Red, Blue"
    assert properties["string:Received At"] == "2026-03-01T12:00:00+00:00"
    assert properties["number:Size"] == 1234
    assert "string:Truncated" not in properties
    assert "string:Message ID Origin" not in properties


def with_attachments():
    message = EmailMessage()
    message["Message-ID"], message["Date"], message["Subject"] = "<a@x>", "Mon, 2 Mar 2026 09:00:00 +0000", "Scan"
    message.set_content("See attached.")
    message.add_attachment(b"x" * 1000, maintype="application", subtype="pdf", filename="Prüfung.pdf")
    logo: dict[str, Any] = {"cid": "<logo>", "disposition": "inline", "filename": "logo.png"}
    message.add_attachment(b"y" * 10, maintype="image", subtype="png", **logo)
    inner = EmailMessage()
    inner["Subject"] = "An inner email"
    inner.set_content("Not the body.")
    message.add_attachment(inner)
    return message.as_bytes()


def test_attachments_have_name_size_and_type_and_inline_images_are_not_counted():
    made = comment(with_attachments())
    attachments = {part.name: (part.size, part.content_type, part.inline) for part in made.attachments}
    assert attachments["Prüfung.pdf"] == (1000, "application/pdf", False)
    assert attachments["logo.png"][2]
    assert "An inner email.eml" in attachments
    assert made.properties["string:Has Attachments"] == "Yes"
    assert made.properties["number:Attachments"] == 2
    assert made.message.body == "See attached."


def test_the_size_of_a_large_attachment_is_exact():
    size = 6_000_000
    message = EmailMessage()
    message["Message-ID"], message["Date"] = "<a@x>", "Mon, 2 Mar 2026 09:00:00 +0000"
    message.set_content("See attached.")
    message.add_attachment(b"z" * size, maintype="application", subtype="octet-stream", filename="big.bin")
    message.add_attachment(b"small", maintype="application", subtype="octet-stream", filename="small.bin")
    made = comment(message.as_bytes())
    assert {part.name: part.size for part in made.attachments} == {"big.bin": size, "small.bin": 5}


# ---- encrypted and signed emails ----------------------------------------------------------------------------------


def test_encrypted_mail_is_converted_to_its_subject_and_a_placeholder():
    mime = raw(
        "Message-ID: <a@x>", DATE, "Subject: Secret", "Content-Transfer-Encoding: base64",
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", body="MIIB",
    )  # fmt: skip
    made = comment(mime)
    assert (made.message.subject, made.message.body) == ("Secret", ENCRYPTED_TEXT)
    assert made.properties["string:Encrypted"] == "Yes"


def test_mail_that_is_only_signed_is_not_called_encrypted():
    mime = raw("Message-ID: <a@x>", DATE, "Content-Type: application/pkcs7-mime; smime-type=signed-data", body="MIIB")
    made = comment(mime)
    assert made.message.body == OPAQUE_TEXT
    assert "string:Encrypted" not in made.properties


# ---- limits -------------------------------------------------------------------------------------------------------


def test_a_text_that_is_too_long_is_cut_and_the_comment_is_marked():
    made = comment(mail("a", body="word " * 20_000))
    assert len(made.message.body) == 65_536
    assert made.properties["string:Truncated"] == "Yes"


def test_recipients_and_addresses_are_cut_to_the_limits_of_re_infer():
    many = ", ".join(f"a{n}@x.example" for n in range(3000))
    made = comment(raw("Message-ID: <a@x>", DATE, f"To: {many}", f"From: {'x' * 900}@x.example"))
    assert len(made.message.to) <= 2048
    assert len(made.message.sender) <= 512


def nested(depth):
    mime = b"Content-Type: text/plain\r\n\r\nDeep"
    for number in range(depth):
        mime = (
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
            + mime
            + b"\r\n--b%d--" % number
        )
    return b"Message-ID: <a@x>\r\n" + DATE.encode() + b"\r\n" + mime


@pytest.mark.parametrize("depth", [150, 5000])
def test_parts_that_are_nested_too_deep_are_not_converted(depth):
    outcome = convert(Email(CHANGE, nested(depth), DETAILS), PLACE)
    assert isinstance(outcome, NotConvertible)
    assert outcome.kind is DeadLetterKind.NESTED_TOO_DEEP


HOSTILE = {
    "100,000 parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 100_000,
    "50,000 nested divs": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 50_000 + b"deep",
    "a line of 10 MB": b"Subject: x\r\n\r\n" + b"a" * 10_000_000,
    "a line of dashes": b"Subject: x\r\n\r\n" + b"-" * 1_000_000,
    "a million quote signs": b"Subject: x\r\n\r\n" + b">" * 1_000_000,
    "a million blank lines": b"Subject: x\r\n\r\n" + b"\n" * 1_000_000,
    "a million blanks": b"Subject: x\r\n\r\n" + b" " * 1_000_000 + b"x",
    "endless attribution": b"Subject: x\r\n\r\n" + b"On " * 70_000 + b"wrote:\n> a",
    "brackets in From": b"From: " + b"(" * 20_000 + b"\r\n\r\nx",
    "encoded words without end": b"Subject: " + b"=?utf-8?Q?a?= " * 70_000 + b"\r\n\r\nx",
    "punycode": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 300_000,
    "utf-7 nulls": b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AAA-",
    "a multipart without its boundary": b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\ny",
    "base64 rubbish": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A" * 1001 + b"!!!",
}


@pytest.mark.parametrize("mime", HOSTILE.values(), ids=HOSTILE)
def test_hostile_mail_becomes_a_valid_comment_or_a_reason(mime):
    outcome = convert(Email(CHANGE, mime, DETAILS), PLACE)
    assert isinstance(outcome, NotConvertible) or is_valid(outcome.comment)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=2000),
    st.sampled_from(["", "text/html", "multipart/mixed; boundary=b", "text/plain; charset=utf-16"]),
)
@example(b"\x00\xff\r\n\r\n\xed\xa0\x80", "text/html")
def test_any_bytes_become_a_valid_comment_or_a_reason(content, content_type):
    mime = b"Content-Type: " + content_type.encode() + b"\r\n" + content if content_type else content
    outcome = convert(Email(CHANGE, mime, DETAILS), PLACE)
    assert isinstance(outcome, NotConvertible) or is_valid(outcome.comment)
    assert convert(Email(CHANGE, mime, DETAILS), PLACE) == outcome


def is_valid(made):
    """Return True if the simulated Re:infer accepts the comment; otherwise `check_sync` raises an error.

    The rules of the simulated Re:infer do not use the product's code.
    """
    import json

    from integrations.reinfer.payload import comment_json

    check_sync({"comments": [json.loads(comment_json(made))]})
    return True


# ---- emails of gateways and mail clients --------------------------------------------------------------------------


def test_without_a_date_and_a_received_time_the_first_received_header_gives_the_timestamp():
    mime = raw(
        "Message-ID: <a@x>",
        "Received: from a by b; Tue, 3 Mar 2026 10:00:00 +0100",
        "Received: from c by a; Mon, 2 Mar 2026 10:00:00 +0100",
    )
    result = comment(mime, details=replace(DETAILS, received=None))
    assert result.timestamp == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert result.message.sent_at is None


def test_the_correspondents_of_a_resent_email_are_properties_and_participants():
    mime = raw("From: a@x.example", "Resent-From: Ann <ann@y.example>", "Resent-To: desk@y.example", DATE)
    result = converted(mime)
    assert result.comment.message.sender == "a@x.example"
    assert result.comment.properties["string:Resent From"] == "Ann <ann@y.example>"
    assert result.comment.properties["string:Resent To"] == "desk@y.example"
    assert result.participants == {"a@x.example", "ann@y.example", "desk@y.example"}


def test_winmail_dat_is_an_attachment_and_an_email_with_nothing_else_gets_a_placeholder():
    part = ["Content-Type: application/octet-stream; name=winmail.dat", "Content-Transfer-Encoding: base64"]
    result = comment(raw(DATE, *part, body="eJ8+Ig=="))
    assert result.message.body == TNEF_TEXT
    assert [(one.name, one.content_type) for one in result.attachments] == [("winmail.dat", "application/ms-tnef")]
    unnamed = comment(raw(DATE, "Content-Type: application/ms-tnef", body="x"))
    assert unnamed.attachments[0].name == "winmail.dat"


@pytest.mark.parametrize(
    ("limit", "body", "kind"),
    [
        ({"html_depth": 10}, "<div>" * 11 + "deep" + "</div>" * 11, "html"),
        ({"html_chars": 100}, "<p>" + "a" * 100, "html"),
        ({"text_chars": 100}, "a" * 101, "plain"),
    ],
)
def test_content_beyond_a_limit_is_cut_and_the_comment_has_the_property_truncated(limit, body, kind):
    mime = raw(DATE, f"Content-Type: text/{kind}", body=body)
    assert "string:Truncated" not in comment(mime).properties
    assert comment(mime, limits=replace(DEFAULT_LIMITS, **limit)).properties["string:Truncated"] == "Yes"


def test_elements_beside_each_other_are_not_nested():
    html = "<div>a</div><p>b<p>c<br>" * 5000
    assert until_too_deep(html, 10) == html
    assert until_too_deep("<div>" * 11 + "x", 10) == "<div>" * 10


def test_a_content_type_of_a_million_characters_takes_less_than_two_seconds():
    mime = raw(DATE, "Content-Type: text/plain; " + "a=b; " * 200_000)
    begun = process_time()
    assert comment(mime).message.body == "Text"
    assert process_time() - begun < 2


def test_control_characters_in_the_name_of_an_attachment_are_removed():
    part = ["Content-Type: application/pdf", "Content-Disposition: attachment; filename*=utf-8''a%00b%ED%A0%80.pdf"]
    assert comment(raw(DATE, *part, body="x")).attachments[0].name.startswith("ab")
