"""The headers of an earlier email (From, Sent, To, Subject) as Outlook and others write them into the text."""

from __future__ import annotations

from collections.abc import Sequence

from conversion.cleaning.evidence import COLONS, has_address
from conversion.cleaning.languages import fold, of_all

_MAX_LINES = 14
_LONGEST_LABEL = 30
_LEAST_FURTHER = 2
"""Number of facts that a block needs in addition to sender and date: subject, recipient, address, or a label that means
"sent" and not just "date"."""
_DATE_LABELS = of_all("date_labels")
_LEAST_MARKED = 3
"""Minimum number of lines with a label in a block that a mail program marked. The labels can be in any language."""
_MEANINGS = ("cc", "to", "sent", "subject", "from")
_LABELS: dict[str, set[str]] = {}
for _meaning in _MEANINGS:
    for _word in of_all(_meaning):
        _LABELS.setdefault(_word.rstrip("."), set()).add(_meaning)
_TRANSPORT = (
    "received", "return-path", "message-id", "mime-version", "content-type", "dkim-signature", "delivered-to", "x-", "arc-",
    "authentication-results", "content-transfer-encoding", "references", "in-reply-to", "user-agent",
)  # fmt: skip
"""Headers that mail programs do not show. A block with such headers was pasted as evidence, and is content."""
_DECORATION = " *_|\t"


def is_header_block(lines: Sequence[str], first: int, *, below_separator: bool = False) -> bool:
    """Return whether the headers of an earlier email begin at a line.

    A header block has a sender, a date with a digit, and at least two of: a subject, a recipient, an address, a label
    that means "sent". Fewer facts are not sufficient, because a booking can have From, To and Date, and a form can have
    From and Subject. Directly below a line of dashes, a sender alone is sufficient; a date together with a
    recipient or a subject is sufficient, too.

    Args:
        lines: The text.
        first: Number of the line.
        below_separator: Whether the line above is drawn: see `conversion.cleaning.separators.is_drawn`.

    Returns:
        True for a header block.
    """
    facts = _headers(lines[first : first + _MAX_LINES])
    if not facts:
        return False
    sender, sent = facts.get("from", ""), facts.get("sent", "")
    dated = any(character.isdigit() for character in sent)
    if below_separator:
        return bool(sender) or (dated and ("to" in facts or "subject" in facts))
    if not dated or not any(character.isalpha() for character in sender):
        return False
    further = (
        ("subject" in facts)
        + ("to" in facts)
        + has_address(sender)
        + _has_sent_label(lines[first : first + _MAX_LINES])
    )
    return further >= _LEAST_FURTHER


def _has_sent_label(lines: Sequence[str]) -> bool:
    labels = (label for line in lines if "sent" in _LABELS.get(label := _label(line), ()))
    label = next(labels, "")
    return bool(label) and not label.startswith(_DATE_LABELS)


def begins_with_label(line: str) -> bool:
    """Return whether a line begins with the label of a header. A fast check.

    Args:
        line: The line.

    Returns:
        True if it does.
    """
    return bool(_LABELS.get(_label(line)))


def looks_like_headers(lines: Sequence[str]) -> bool:
    """Return whether an element that a mail program marked really contains headers.

    Args:
        lines: The non-blank lines of the marked element.

    Returns:
        True if at least three lines have labels, and either these include From and Subject, or a value has a digit.
    """
    labelled = [line for line in lines[:_MAX_LINES] if _label(line)]
    known = {"from", "subject"} <= set(_headers(lines[:_MAX_LINES]))
    dated = any(character.isdigit() for line in labelled for character in _value(line))
    return len(labelled) >= _LEAST_MARKED and (known or dated)


def _headers(lines: Sequence[str]) -> dict[str, str]:
    """Return the values of known labels by their meaning; empty if the block has headers that mail programs do not show.

    If a label has two meanings ("Da:" is From in Italian and a date in another language), the meaning
    that the block does not have yet is used.
    """
    facts: dict[str, str] = {}
    unlabelled, open_label = 0, ""
    for line in lines:
        if not line.strip():
            if facts:
                break
            continue
        label = _label(line)
        meanings = _LABELS.get(label, set())
        if label.startswith(_TRANSPORT):
            return {}
        if not meanings and open_label:
            # In a table, label and value are on two lines.
            facts[open_label], open_label = line.strip(), ""
            continue
        if not meanings:
            # A long list of recipients continues on the next lines. Any other line ends the block.
            unlabelled += 1
            if not facts or unlabelled > 3 or not _continues_recipients(line):
                break
            continue
        meaning = next((meaning for meaning in reversed(_MEANINGS) if meaning in meanings and meaning not in facts), "")
        if meaning:
            facts[meaning] = _value(line)
            open_label = "" if facts[meaning] else meaning
    return facts


def _continues_recipients(line: str) -> bool:
    return line[:1] in " \t" or "@" in line or ";" in line or line.rstrip().endswith(",")


def _label(line: str) -> str:
    """Return the folded text before the first colon; empty if there is no colon, or the text is too long."""
    head = line[: _LONGEST_LABEL + 12].lstrip(_DECORATION)
    ends = [place for colon in COLONS if (place := head.find(colon)) >= 0]
    if not ends:
        return ""
    head = head[: min(ends)].strip(_DECORATION)
    return fold(head).strip().rstrip(".") if len(head) <= _LONGEST_LABEL else ""


def _value(line: str) -> str:
    return line.replace("：", ":").partition(":")[2].strip(_DECORATION)
