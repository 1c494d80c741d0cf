"""Convert an email into a comment: ids, times, text and properties, within the limits of Re:infer. Pure.

Any input gives either a valid comment or a reason. The comment does not depend on details that Exchange can render
differently each time: boundaries, header folding, transfer encodings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from conversion.cleaning import CleanText, clean
from conversion.identity import comment_id, listed_comment_id, made_up_comment_id, message_id_name, thread_id
from conversion.limits import DEFAULT_LIMITS, Limits
from conversion.mime.charsets import clean as without_controls
from conversion.mime.head import reason_not_an_email
from conversion.mime.headers import (
    Correspondent,
    addresses,
    correspondents,
    date_header,
    message_ids,
    raw_headers,
    received_header,
    text_header,
)
from conversion.mime.parts import NestedTooDeep, Parsed, parse, whole_header
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Comment, CommentId, Email, Message

VERSION = 2
"""Version of the conversion. An email that an older version could not convert is retried with a newer one."""
PROPERTIES = 1
"""Version of the set of properties. Comments that an older version pushed get the properties that they lack: see
`sync.engine.property_completion`."""

ENCRYPTED_TEXT = "[This email is encrypted.]"
TNEF_TEXT = "[This email is in a format of Outlook (winmail.dat) that cannot be read here.]"
OPAQUE_TEXT = "[This email is signed in a form that cannot be read here.]"
RESENT_TO = ("Resent-To", "Resent-Cc", "Resent-Bcc")
LATEST_DATE = timedelta(days=1)
"""A Date header is ignored if its time is later than the received time by more than this duration."""


@dataclass(frozen=True, slots=True)
class EmailLocation:
    """Mailbox and folder of a mailbox item.

    Attributes:
        mailbox: Address of the mailbox.
        folder_path: Folder names from the mailbox root down.
    """

    mailbox: str
    folder_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """An email that was converted.

    Attributes:
        comment: The comment.
        participants: Lower-case addresses of From, Sender, To, Cc and Bcc and of the Resent headers. The limits of a
            comment do not apply: no address is left out.
        cleaned: The text, the pieces that were cut, and the rule that cut each piece.
    """

    comment: Comment
    participants: frozenset[str]
    cleaned: CleanText


@dataclass(frozen=True, slots=True)
class NotConvertible:
    """An email that cannot be converted.

    Attributes:
        kind: The reason.
        detail: What is wrong with the email, or the kind and location of an error in this product. Never content of the
            email.
    """

    kind: DeadLetterKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _People:
    """The correspondents of each address header.

    Attributes:
        resent_from: The correspondents who resent the email (RFC 5322 §3.6.6). They are not its author.
        resent_to: The recipients of the resent email.
    """

    sender: tuple[Correspondent, ...]
    envelope_sender: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...]
    bcc: tuple[Correspondent, ...]
    resent_from: tuple[Correspondent, ...]
    resent_to: tuple[Correspondent, ...]


def convert(email: Email, place: EmailLocation, limits: Limits = DEFAULT_LIMITS) -> Converted | NotConvertible:
    """Convert an email.

    Args:
        email: The email as fetched.
        place: Its mailbox and folder.
        limits: The limits of the conversion.

    Returns:
        The comment, or the reason why there is none.
    """
    try:
        parsed = parse(email.mime, limits)
    except NestedTooDeep:
        return NotConvertible(DeadLetterKind.NESTED_TOO_DEEP)
    message_id = _message_id(parsed, limits)
    listed = listed_comment_id(email.change.message_id) is not None
    if reason := reason_not_an_email(email.mime, has_message_id=bool(message_id), listed=listed):
        return NotConvertible(DeadLetterKind.NOT_AN_EMAIL, reason)
    sent = _sent_at(parsed, email, limits)
    timestamp = sent or email.details.received or received_header(parsed.message, limits.header_chars)
    if timestamp is None:
        return NotConvertible(DeadLetterKind.NO_DATE)
    people = _people(parsed, limits)
    subject = text_header(parsed.message, "Subject", limits.header_chars)
    own = comment_id(message_id) if message_id else _generated_comment_id(sent, people, subject)
    cleaned = _clean_text(parsed, email, subject, people, limits)
    message, truncated = _message(people, subject, cleaned, sent, limits)
    comment = Comment(
        id=own,
        timestamp=timestamp,
        thread_id=_thread_id_of(parsed, own, limits),
        message=message,
        properties=_properties(email, place, parsed, people, message, message_id, truncated or parsed.cut, limits),
        attachments=parsed.attachments[: limits.attachments],
    )
    return Converted(comment, _participants(people, email.mime, parsed, limits), cleaned)


def _sent_at(parsed: Parsed, email: Email, limits: Limits) -> datetime | None:
    sent, received = date_header(parsed.message, limits.header_chars), email.details.received
    return None if sent and received and sent - received > LATEST_DATE else sent


def _people(parsed: Parsed, limits: Limits) -> _People:
    def people_in(name: str) -> tuple[Correspondent, ...]:
        return tuple(correspondents(parsed.message, name, limits.header_chars, limits.recipients))

    return _People(
        people_in("From"),
        people_in("Sender"),
        people_in("To"),
        people_in("Cc"),
        people_in("Bcc"),
        people_in("Resent-From"),
        tuple(one for name in RESENT_TO for one in people_in(name)),
    )


def _message_id(parsed: Parsed, limits: Limits) -> str:
    return next(
        (
            text
            for raw in raw_headers(parsed.message, "Message-ID", limits.header_chars)
            if (text := message_id_name(raw))
        ),
        "",
    )


def _generated_comment_id(sent: datetime | None, people: _People, subject: str) -> CommentId:
    return made_up_comment_id(
        sent,
        [str(one) for one in people.sender],
        [str(one) for one in people.to],
        [str(one) for one in people.cc],
        subject,
    )


def _thread_id_of(parsed: Parsed, own: CommentId, limits: Limits) -> str:
    def ids(name: str) -> list[str]:
        return [one for raw in raw_headers(parsed.message, name, limits.header_chars) for one in message_ids(raw)]

    return thread_id(ids("References"), ids("In-Reply-To"), own)


def _clean_text(parsed: Parsed, email: Email, subject: str, people: _People, limits: Limits) -> CleanText:
    if _is_encrypted(parsed, email):
        return CleanText(ENCRYPTED_TEXT, "", ())
    if parsed.opaque:
        return CleanText(OPAQUE_TEXT, "", ())
    if parsed.tnef and not any((section.plain or section.html or "").strip() for section in parsed.sections):
        return CleanText(TNEF_TEXT, "", ())
    sender = next(iter(people.sender or people.envelope_sender), "")
    return clean(parsed.sections, subject, limits, str(sender))


def _is_encrypted(parsed: Parsed, email: Email) -> bool:
    """Return whether an email is encrypted: by its MIME parts or, if it has no text and is not signed, by its item class."""
    by_class = email.details.item_class.casefold() == "ipm.note.smime"
    return parsed.encrypted or (by_class and not parsed.sections and not parsed.opaque)


def _message(
    people: _People, subject: str, cleaned: CleanText, sent: datetime | None, limits: Limits
) -> tuple[Message, bool]:
    """Return the message within the limits, and whether text was cut."""

    def formatted(group: tuple[Correspondent, ...]) -> tuple[str, ...]:
        return tuple(text[: limits.address_chars] for one in group if (text := str(one)))

    most = limits.field_chars
    message = Message(
        subject=subject[:most],
        body=cleaned.newest[:most],
        signature=cleaned.signature[:most],
        sender=next(iter(formatted(people.sender or people.envelope_sender)), ""),
        to=formatted(people.to),
        cc=formatted(people.cc),
        bcc=formatted(people.bcc),
        sent_at=sent,
    )
    return message, max(len(subject), len(cleaned.newest), len(cleaned.signature)) > most


def _properties(
    email: Email,
    place: EmailLocation,
    parsed: Parsed,
    people: _People,
    message: Message,
    message_id: str,
    truncated: bool,
    limits: Limits,
) -> dict[str, str | int | float]:
    details = email.details
    attached = [part for part in parsed.attachments if not part.inline]
    recipients = dict.fromkeys(one.domain for one in (*people.to, *people.cc) if one.domain)
    texts = {
        "Folder": "/".join(place.folder_path),
        "Mailbox": place.mailbox,
        "Mailbox ID": place.mailbox,  # the property name that the vendor's tools use
        "Message ID": message_id,
        "Message ID Origin": "" if message_id else "Generated",
        "Sender": message.sender,
        "Sender Domain": next((one.domain for one in people.sender or people.envelope_sender), ""),
        "Recipient Domain": ", ".join(recipients),
        "Resent From": ", ".join(map(str, people.resent_from)),
        "Resent To": ", ".join(map(str, people.resent_to)),
        "Has Attachments": "Yes" if attached else "No",
        "Importance": details.importance,
        "Sensitivity": details.sensitivity,
        "Categories": ", ".join(details.categories),
        "Conversation Topic": details.conversation_topic,
        "Has Signature": "Yes" if message.signature else "No",
        "Received At": details.received.isoformat() if details.received else "",
        "Encrypted": "Yes" if _is_encrypted(parsed, email) else "",
        "Truncated": "Yes" if truncated else "",
    }
    properties: dict[str, str | int | float] = {
        f"string:{name}": value
        for name, text in texts.items()
        if (value := " ".join(without_controls(text).split())[: limits.property_chars].strip())
    }
    return properties | {"number:Attachments": len(attached), "number:Size": details.size}


def _participants(people: _People, mime: bytes, parsed: Parsed, limits: Limits) -> frozenset[str]:
    header = whole_header(mime, parsed.message, limits)
    most = limits.recipients if header is parsed.message else 0  # if the header was cut, `people` may be incomplete
    people_by_headers = {
        ("From",): people.sender,
        ("Sender",): people.envelope_sender,
        ("To",): people.to,
        ("Cc",): people.cc,
        ("Bcc",): people.bcc,
        ("Resent-From",): people.resent_from,
        RESENT_TO: people.resent_to,
    }
    entries = (
        address
        for names, group in people_by_headers.items()
        for address in addresses(header, names, group, limits.header_chars, most)
    )
    return frozenset(address.casefold() for address in entries if "@" in address)
