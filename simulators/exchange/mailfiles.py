"""Reads mail files below a folder: `.eml`, mbox, Maildir and files that begin with mail headers. Other files are ignored."""

from __future__ import annotations

import contextlib
import mailbox as mailboxes
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from simulators.exchange.store import Mail

HEADERS = BytesHeaderParser(policy=policy.compat32)
LONGEST = 64 * 1024 * 1024
"""Maximum size of a mail file in bytes. A larger file is ignored, unless it is an mbox."""


def mails_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The path and the bytes of every email below `folder`, in the order of the paths."""
    maildirs = {path.parent for path in folder.rglob("cur") if path.is_dir() and (path.parent / "new").is_dir()}
    for path in sorted(folder.rglob("*")):
        inside = next((maildir for maildir in maildirs if maildir in path.parents), None)
        with contextlib.suppress(OSError):  # an unreadable file is ignored
            if not path.is_file():
                continue
            if inside is None and _is_mbox(path):
                yield from _of_mbox(path)
            elif path.stat().st_size <= LONGEST and _is_one_mail(path, in_maildir=inside is not None):
                yield path, path.read_bytes()


def mail_of(mime: bytes, *, fallback: datetime | None = None) -> Mail:
    """An email with the properties that Exchange lists. `fallback`: the time of arrival if no header contains a time."""
    headers = HEADERS.parsebytes(mime[: 256 * 1024])
    return Mail(
        mime=mime,
        size=len(mime),
        message_id=_text(headers, "Message-ID"),
        subject=_text(headers, "Subject")[:255],
        received=_received(headers) or fallback,
        item_class="IPM.Note.SMIME" if headers.get_content_type() == "application/pkcs7-mime" else "IPM.Note",
        importance={"high": "High", "low": "Low"}.get(_text(headers, "Importance").casefold(), "Normal"),
        has_attachments=b"content-disposition: attachment" in mime.lower(),
    )


def _of_mbox(path: Path) -> Iterator[tuple[Path, bytes]]:
    box = mailboxes.mbox(str(path), create=False)
    try:
        for key in box.keys():  # noqa: SIM118  # an mbox is not a dictionary
            yield path, box.get_bytes(key)
    finally:
        box.close()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From " and path.suffix.casefold() != ".eml"


def _is_one_mail(path: Path, *, in_maildir: bool) -> bool:
    if in_maildir:
        return path.parent.name in ("cur", "new")
    return path.suffix.casefold() == ".eml" or _looks_like_mail(path)


def _looks_like_mail(path: Path) -> bool:
    """Whether the file begins with mail headers. The name does not matter: a sample email of CPython is `msg_01.txt`."""
    with path.open("rb") as file:
        head = file.read(4096)
    if b"\0" in head:
        return False
    names = {line.split(b":")[0].strip().lower() for line in head.splitlines()[:30] if b":" in line}
    return len(names & {b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"return-path"}) >= 2


def _text(headers: Message, name: str) -> str:
    """The header on one line, without characters that XML does not allow, with encoded words (RFC 2047) decoded."""
    raw = headers.get(name) or ""
    try:
        value = str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, ValueError):
        value = str(raw)
    return "".join(" " if character < " " else character for character in " ".join(value.split()) if _is_xml(character))


def _is_xml(character: str) -> bool:
    return character >= " " and not "\ud800" <= character <= "\udfff" and character not in "\ufffe\uffff"


def _received(headers: Message) -> datetime | None:
    stamps = [str(value).rpartition(";")[2] for value in headers.get_all("Received") or []]
    for text in [*stamps[:1], str(headers.get("Date") or "")]:
        try:
            moment = parsedate_to_datetime(text.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if 1970 <= moment.year <= 2100:
            return moment.astimezone(UTC)
    return None
