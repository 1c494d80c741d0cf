"""The comment that an email would become, and what was cut from its text: for commands and pages. Sends nothing."""

from __future__ import annotations

from conversion.deadline.in_process import Convert
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations import catalogue
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of the largest email that a preview accepts."""
_HEADERS = frozenset((b"from", b"to", b"subject", b"date", b"message-id", b"received", b"mime-version"))


def preview_of_file(mime: bytes, place: EmailLocation, convert: Convert) -> Converted | NotConvertible:
    """Of the content of a file, which may be anything. Raises what `convert` raises."""
    if not looks_like_mail(mime):
        return NotConvertible(DeadLetterKind.NO_EMAIL)
    change = Change(ChangeKind.CREATED, FolderId("preview"), ItemId("preview"))
    return convert(Email(change, mime, ItemDetails(size=len(mime))), place)


def rejection(outcome: NotConvertible) -> str:
    """Why it makes no comment: the kind, what that means, and where it happened or what was said."""
    meaning = catalogue.set_aside_entry(outcome.kind).text
    return f"{outcome.kind}: {meaning}" + (f" ({outcome.detail})" if outcome.detail else "")


def looks_like_mail(mime: bytes) -> bool:
    """Whether there is a header at the beginning that only an email has. Exchange hands out nothing else; a folder does."""
    head = mime[:65_536].lstrip(b"\r\n \t").lower()
    names = {line.split(b":", 1)[0].strip() for line in head.splitlines()[:200] if b":" in line}
    return bool(names & _HEADERS)
