"""Find forwarded emails. They are content, although the sender did not write them. No text of a forwarded email is cut."""

from __future__ import annotations

import re

from conversion.cleaning.evidence import undecorated
from conversion.cleaning.languages import fold, of_all, of_language
from conversion.cleaning.marked_text import MarkedText, MarkKind
from conversion.limits import Limits

MAX_CHARS = 120
_DASHES = " -_=*\u2010\u2011\u2012\u2013\u2014\u200e\u200f:"
_FORWARDED = of_all("forwarded")
_PREFIX = re.compile(r"\s*([^\s:：\[\]()<>]{1,16}(?: [^\s:：\[\]]{1,10})?)\s?(?:\[\d+\])?\s*[:：]")
_FORWARD_PREFIXES, _REPLY_PREFIXES = frozenset(of_all("forward")), frozenset(of_all("reply"))
_FINNISH_LABELS = of_language("finnish", "from") + of_language("finnish", "subject")


def is_forward_subject(subject: str, text: MarkedText) -> bool:
    """Return whether a subject has the prefix of a forward (`Fwd:`, `WG:`, …).

    `VS:` is a forward in Danish and Norwegian, and a reply in Finnish. The language of the headers in the text decides.

    Args:
        subject: The subject.
        text: The text of the email.

    Returns:
        True for a forward.
    """
    prefix = _prefix(subject)
    if prefix in _FORWARD_PREFIXES and prefix in _REPLY_PREFIXES:
        return not any(fold(undecorated(line)).startswith(_FINNISH_LABELS) for line in text.lines[:200])
    return prefix in _FORWARD_PREFIXES


def is_reply_subject(subject: str) -> bool:
    """Return whether a subject has the prefix of a reply (`Re:`, `AW:`, …).

    Args:
        subject: The subject.

    Returns:
        True for a reply.
    """
    return _prefix(subject) in _REPLY_PREFIXES


def forward_start(text: MarkedText, limits: Limits) -> int | None:
    """Find the beginning of a forwarded email: an element that the mail program marked, or a separator line.

    Args:
        text: The text of the email.
        limits: The limits of the conversion.

    Returns:
        Number of the first line, or None.
    """
    marked = [region.first for region in text.of(MarkKind.FORWARD)]
    worded = (number for number, line in enumerate(text.lines[: limits.lines]) if is_forward_line(line))
    return min([*marked, *([first] if (first := next(worded, None)) is not None else [])], default=None)


def is_forward_line(line: str) -> bool:
    """Return whether a line is a separator above a forwarded email. A quoted line is not a separator.

    Examples: `---------- Forwarded message ---------`, `Begin forwarded message:`.

    Args:
        line: The line.

    Returns:
        True for a separator.
    """
    if len(line) > MAX_CHARS or not line.strip():
        return False
    drawn = line.lstrip()[0] in _DASHES
    if not drawn and not line.rstrip(" *\u200e\u200f").endswith((":", "：")):
        return False
    text = fold(line).strip(_DASHES)
    return any(mark in text for mark in _FORWARDED) if drawn else text.startswith(_FORWARDED)


def _prefix(subject: str) -> str:
    match = _PREFIX.match(subject[:100])
    return fold(match[1]).rstrip(".") if match else ""
