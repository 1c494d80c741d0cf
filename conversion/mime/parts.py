"""Parse an email into the sections of its body (plain text and HTML) and its attachments."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32

from conversion.limits import Limits
from conversion.mime.bounded import MOST, BoundedHeaders
from conversion.mime.charsets import clean, decoded
from conversion.mime.costly_html import until_too_costly
from conversion.mime.elide import elided, size_and_rest
from conversion.mime.head import END
from conversion.mime.headers import decoded_words, text_header
from conversion.mime.nesting import until_too_deep
from integrations.messages import Attachment

ENCRYPTED = {"multipart/encrypted", "application/x-microsoft-rpmsg-message"}
NOT_FOR_READING = {
    *("text/calendar", "text/x-amp-html", "text/rfc822-headers", "text/vcard", "text/x-vcard", "text/directory"),
    *("text/csv", "text/css", "text/xml", "text/javascript", "text/enriched", "text/richtext", "text/rtf"),
}
"""Text types that contain data and no text to read. Any other text type is read as plain text (RFC 2046 §4.1.4)."""
TNEF, TNEF_NAME = "application/ms-tnef", "winmail.dat"
SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}


class NestedTooDeep(Exception):
    """The MIME parts are nested deeper than the limit."""


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of the body: the same content as plain text, as HTML, or as both.

    Attributes:
        plain: The plain text, if any.
        html: The HTML, if any.
        cut: Whether content was cut because of the limits.
    """

    plain: str | None
    html: str | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed email.

    Attributes:
        message: The email as the standard library parsed it.
        sections: The pieces of the body, in reading order.
        attachments: The attachments, including attached emails.
        encrypted: Whether the email is encrypted.
        opaque: Whether the email is S/MIME `signed-data`. The text is inside of the binary signature, and only mail
            clients can show it.
        tnef: Whether the email has an attachment in Outlook's own format (`winmail.dat`, MS-OXTNEF), which may hide
            text and attachments.
        cut: Whether content was cut because of the limits.
    """

    message: Message
    sections: tuple[Section, ...]
    attachments: tuple[Attachment, ...]
    encrypted: bool
    opaque: bool
    tnef: bool
    cut: bool


def parse(mime: bytes, limits: Limits) -> Parsed:
    """Parse an email.

    Args:
        mime: The email. May be any bytes.
        limits: The limits of the conversion.

    Returns:
        The parsed email.

    Raises:
        NestedTooDeep: The parts are nested too deep. No other exception is raised, for any input.
    """
    shortened = elided(mime)
    cut = len(shortened) > limits.mime_bytes
    try:
        message = message_from_bytes(shortened[: limits.mime_bytes], policy=BoundedHeaders())
    except RecursionError:
        raise NestedTooDeep from None
    parts = list(_walk(message, limits))
    cut = cut or len(parts) > limits.parts
    parts = parts[: limits.parts]
    kinds = {part.get_content_type() for part, _ in parts}
    smime = _smime_type(message) if message.get_content_type() in SMIME else ""
    body = {id(part) for part, _ in parts if _is_text(part)}
    sections = tuple(_sections(message, limits, 0))
    return Parsed(
        message=message,
        sections=sections,
        attachments=tuple(
            _attachment(part, limits) for part, _ in parts if not part.is_multipart() and id(part) not in body
        )
        + tuple(_attached_email(part, limits) for part, _ in parts if part.get_content_type() == "message/rfc822"),
        encrypted=bool(kinds & ENCRYPTED) or smime in ("enveloped-data", "authenveloped-data", "unknown"),
        opaque=smime == "signed-data",
        tnef=any(_is_tnef(part) for part, _ in parts),
        cut=cut or any(section.cut for section in sections),
    )


def whole_header(mime: bytes, message: Message, limits: Limits) -> Message:
    """Return the complete header of a parsed email.

    Args:
        mime: The email.
        message: The parsed email.
        limits: The limits of the conversion.

    Returns:
        The same message, or a newly parsed one if a limit may have cut its header.
    """
    end = END.search(mime)
    length = end.end() if end else len(mime)
    if length <= min(limits.mime_bytes, MOST):
        return message
    return BytesHeaderParser(policy=compat32).parsebytes(mime[:length])


def _walk(message: Message, limits: Limits) -> Iterator[tuple[Message, int]]:
    """Yield every part with its depth, in order, without the parts of attached emails."""
    todo = [(message, 0)]
    while todo:
        part, depth = todo.pop()
        if depth > limits.depth:
            raise NestedTooDeep
        yield part, depth
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            children: list[Message] = part.get_payload()  # type: ignore[assignment]
            todo.extend((child, depth + 1) for child in reversed(children))


def _sections(part: Message, limits: Limits, depth: int) -> Iterator[Section]:
    """Yield the body in reading order. The plain and the HTML part of alternatives form one section."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        children: list[Message] = part.get_payload()[: limits.parts]  # type: ignore[assignment, index]
        nested = [section for child in children for section in _sections(child, limits, depth + 1)]
        if part.get_content_subtype() == "alternative":
            yield from _alternative(nested)
        else:
            yield from nested
    elif _is_text(part):
        text, cut = _text(part, limits)
        is_html = part.get_content_subtype() == "html"
        yield Section(None, text, cut) if is_html else Section(_unflowed(part, text), None, cut)


def _alternative(alternatives: list[Section]) -> Iterator[Section]:
    plain = [section.plain for section in alternatives if section.plain is not None]
    html = [section.html for section in alternatives if section.html is not None]
    if plain or html:
        cut = any(section.cut for section in alternatives)
        yield Section("\n".join(plain) if plain else None, "\n".join(html) if html else None, cut)


def _is_text(part: Message) -> bool:
    if part.is_multipart() or part.get_content_maintype() not in ("text", "multipart"):
        return False
    if part.get_content_type() in NOT_FOR_READING:
        return False
    return part.get_content_disposition() != "attachment" and not _filename(part)


def _text(part: Message, limits: Limits) -> tuple[str, bool]:
    """Return the text of a part within the limits, and whether text was cut."""
    is_html = part.get_content_subtype() == "html"
    most = limits.html_chars if is_html else limits.text_chars
    raw = _content(part)
    charset = part.get_param("charset")
    text = decoded(raw[: most * 4], charset if isinstance(charset, str) else None)
    shown = text[:most].replace("\r\n", "\n").replace("\r", "\n")
    shallow = until_too_costly(until_too_deep(shown, limits.html_depth)) if is_html else shown
    return shallow, len(raw) > most * 4 or len(text) > most or len(shallow) < len(shown)


def _content(part: Message) -> bytes:
    """Return the content of a part with its transfer encoding decoded, as far as possible. Never raises."""
    if _transfer_encoding(part) == "base64":
        return _base64(size_and_rest(_raw_body(part))[1])
    return size_and_rest(_decoded_body(part))[1]


def _decoded_body(part: Message) -> bytes:
    """Return the body as decoded by the standard library: quoted-printable decoded, 8-bit text unchanged."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _raw_body(part: Message) -> bytes:
    """Return the undecoded body of a base64 part, so that broken base64 can be repaired.

    The standard library decodes 8-bit text by the charset of the part. That charset is untrusted: it may be wrong, and
    some codecs raise or take minutes. So the part is declared as Latin-1 while it is read: Latin-1 maps each
    byte to itself.
    """
    named = part.get_all("Content-Type", [])
    del part["Content-Type"]
    part["Content-Type"] = 'text/plain; charset="iso-8859-1"'
    try:
        payload = part.get_payload()
    finally:
        del part["Content-Type"]
        for value in named:
            part["Content-Type"] = value
    return payload.encode("iso-8859-1", "replace") if isinstance(payload, str) else b""


def _transfer_encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding") or "").strip().casefold()


def _base64(raw: bytes) -> bytes:
    characters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return base64.b64decode(characters + b"=" * (-len(characters) % 4))
    except binascii.Error:
        # The base64 has one character too many. Decode the complete groups of four before that character.
        return base64.b64decode(characters[: len(characters) // 4 * 4])


def _attachment(part: Message, limits: Limits) -> Attachment:
    content_type = "".join(clean(part.get_content_type()).split()) or "application/octet-stream"
    name = _filename(part) or content_type.replace("/", ".")
    if _is_tnef(part):
        name, content_type = _filename(part) or TNEF_NAME, TNEF
    return Attachment(
        name=name[: limits.attachment_chars],
        size=_size(part),
        content_type=content_type[: limits.attachment_chars],
        inline=part.get_content_disposition() == "inline" or (
            bool(part.get("Content-ID")) and part.get_content_maintype() == "image"
        ),
    )  # fmt: skip


def _is_tnef(part: Message) -> bool:
    """Return whether a part is TNEF, by its type or its name. Some gateways change the type."""
    return part.get_content_type() in (TNEF, "application/vnd.ms-tnef") or _filename(part).casefold() == TNEF_NAME


def _attached_email(part: Message, limits: Limits) -> Attachment:
    inner = part.get_payload() if part.is_multipart() else None
    subject = ""
    if isinstance(inner, list) and inner and isinstance(inner[0], Message):
        subject = text_header(inner[0], "Subject", limits.header_chars)
    name = _filename(part) or (f"{subject}.eml" if subject else "message.eml")
    return Attachment(name[: limits.attachment_chars], 0, "message/rfc822")


def _size(part: Message) -> int:
    """Return the decoded size in bytes. For base64, the characters are counted instead of decoded."""
    if _transfer_encoding(part) != "base64":
        left_out, rest = size_and_rest(_decoded_body(part))
        return left_out + len(rest)
    left_out, rest = size_and_rest(_raw_body(part))
    characters = len(rest) - sum(rest.count(sign) for sign in (b"\n", b"\r", b" ", b"\t", b"="))
    return left_out + characters * 3 // 4


def _filename(part: Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, UnicodeError):
        return ""
    return " ".join(clean(decoded_words(name)).split()).strip() if name else ""


def _smime_type(message: Message) -> str:
    kind = message.get_param("smime-type")
    return kind.casefold() if isinstance(kind, str) else "unknown"


def _unflowed(part: Message, text: str) -> str:
    """Join the lines of `format=flowed` (RFC 3676).

    A line that ends with a space is continued by the next line, if that has the same quote depth.
    """
    flowed = part.get_param("format")
    if not (isinstance(flowed, str) and flowed.casefold() == "flowed"):
        return text
    delsp = str(part.get_param("delsp") or "").casefold() == "yes"
    lines: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        soft = content.endswith(" ") and content != "-- "
        piece = content[:-1] if soft and delsp else content
        if open_depth == depth and content != "-- ":
            lines[-1].append(piece)
        else:
            lines.append([">" * depth + (" " if depth else "") + piece])
        open_depth = depth if soft else None
    return "\n".join("".join(line) for line in lines)
