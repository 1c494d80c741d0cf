"""Preview of a conversion: the comment that a file would become, and the text that was cut. Pushes nothing."""

from __future__ import annotations

from conversion.deadline.in_process import Convert
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations import catalogue
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId

MAX_BYTES = 64 * 1024 * 1024
"""Maximum size in bytes of a file that a preview accepts."""
_HEADERS = frozenset((b"from", b"to", b"subject", b"date", b"message-id", b"received", b"mime-version"))


def preview_of_file(mime: bytes, place: EmailLocation, convert: Convert) -> Converted | NotConvertible:
    """Convert the content of a file. The file need not be an email.

    Propagates what `convert` raises.

    Args:
        mime: The content of the file.
        place: The mailbox and folder to assume.
        convert: The function that converts an email.

    Returns:
        The comment, or the reason why there is none.
    """
    if not has_email_header(mime):
        return NotConvertible(DeadLetterKind.NO_EMAIL)
    change = Change(ChangeKind.CREATED, FolderId("preview"), ItemId("preview"))
    return convert(Email(change, mime, ItemDetails(size=len(mime))), place)


def rejection(outcome: NotConvertible) -> str:
    """Describe why an email cannot be converted.

    Args:
        outcome: The outcome of the conversion.

    Returns:
        The kind, its meaning, and the detail in parentheses if there is one.
    """
    meaning = catalogue.dead_letter_entry(outcome.kind).text
    return f"{outcome.kind}: {meaning}" + (f" ({outcome.detail})" if outcome.detail else "")


def has_email_header(mime: bytes) -> bool:
    """Return whether bytes begin with lines that include a typical header of an email.

    A user can choose any file for a preview, also a file that is not an email.

    Args:
        mime: The content of a file.

    Returns:
        True if at least one typical header is among the first 200 lines.
    """
    head = mime[:65_536].lstrip(b"\r\n \t").lower()
    names = {line.split(b":", 1)[0].strip() for line in head.splitlines()[:200] if b":" in line}
    return bool(names & _HEADERS)
