"""The headers of an earlier email as Outlook and others write them into the text: From, Sent, To, Subject."""

from __future__ import annotations

from collections.abc import Sequence

from sync.cleaning import words

_MOST_LINES = 8
_LONGEST_LABEL = 30
_LEAST_MARKED = 3
"""Lines with a label that a block which a mail program marked must have, in whatever language."""
_LABELS = {label: meaning for meaning, labels in words.HEADER_LABELS.items() for label in labels}
_DECORATION = " *_>|\t"


def is_header_block(lines: Sequence[str], first: int) -> bool:
    """Whether the headers of an email begin at this line: a sender first, then a date with a digit, and a subject.

    All three are asked for: a booking may have From, To and Date, a form From and Subject.
    """
    if _header(lines[first]) != "from":
        return False
    found: dict[str, str] = {}
    for line in lines[first : first + _MOST_LINES]:
        if not line.strip() and found:
            break
        if header := _header(line):
            found.setdefault(header, _value(line))
    dated = any(character.isdigit() for character in found.get("sent", ""))
    return dated and bool(found.get("from")) and "subject" in found


def looks_like_headers(lines: Sequence[str]) -> bool:
    """Whether these lines, which a mail program marked, are headers: labels known here, or in any language with a digit."""
    labelled = [line for line in lines[:_MOST_LINES] if _label(line)]
    known = {_header(line) for line in labelled} >= {"from", "subject"}
    dated = any(character.isdigit() for line in labelled for character in _value(line))
    return len(labelled) >= _LEAST_MARKED and (known or dated)


def _header(line: str) -> str:
    return _LABELS.get(_label(line).casefold(), "")


def _label(line: str) -> str:
    """What stands before the colon, if it is short."""
    head, colon, _ = line[: _LONGEST_LABEL + 10].replace("：", ":").partition(":")
    head = head.strip(_DECORATION)
    return head if colon and len(head) <= _LONGEST_LABEL else ""


def _value(line: str) -> str:
    return line.replace("：", ":").partition(":")[2].strip(_DECORATION)
