"""The headers of an earlier email as Outlook and others write them into the text: From, Sent, To, Subject."""

from __future__ import annotations

from collections.abc import Sequence

from conversion.cleaning.evidence import COLONS, has_address
from conversion.cleaning.languages import fold, of_all

_MOST_LINES = 14
_LONGEST_LABEL = 30
_LEAST_BESIDE = 2
"""Of a subject, a recipient, an address, and a label that says "sent" and not just "date", beside a sender and a date."""
_DATE_LABELS = of_all("date_labels")
_LEAST_MARKED = 3
"""Lines with a label that a block which a mail program marked must have, in whatever language."""
_MEANINGS = ("cc", "to", "sent", "subject", "from")
_LABELS: dict[str, set[str]] = {}
for _meaning in _MEANINGS:
    for _word in of_all(_meaning):
        _LABELS.setdefault(_word.rstrip("."), set()).add(_meaning)
_TRANSPORT = (
    "received", "return-path", "message-id", "mime-version", "content-type", "dkim-signature", "delivered-to", "x-", "arc-",
    "authentication-results", "content-transfer-encoding", "references", "in-reply-to", "user-agent",
)  # fmt: skip
"""Headers that only a machine shows: a block with these was pasted as evidence, and is content."""
_DECORATION = " *_|\t"


def is_header_block(lines: Sequence[str], first: int, *, below_separator: bool = False) -> bool:
    """Whether the headers of an email begin at this line: who sent it, a date with a digit, and two of a subject, a
    recipient and an address.

    A booking may have From, To and Date, a form From and Subject; so more is asked for, unless a separator that only
    programs write stands above.
    """
    found = _headers(lines[first : first + _MOST_LINES])
    if not found:
        return False
    sender, sent = found.get("from", ""), found.get("sent", "")
    dated = any(character.isdigit() for character in sent)
    if below_separator:
        return bool(sender) or (dated and ("to" in found or "subject" in found))
    if not dated or not any(character.isalpha() for character in sender):
        return False
    beside = (
        ("subject" in found) + ("to" in found) + has_address(sender) + _says_sent(lines[first : first + _MOST_LINES])
    )
    return beside >= _LEAST_BESIDE


def _says_sent(lines: Sequence[str]) -> bool:
    labels = (label for line in lines if "sent" in _LABELS.get(label := _label(line), ()))
    label = next(labels, "")
    return bool(label) and not label.startswith(_DATE_LABELS)


def begins_with_label(line: str) -> bool:
    """Whether a line begins with a label of a header, as cheaply as can be told."""
    return bool(_LABELS.get(_label(line)))


def looks_like_headers(lines: Sequence[str]) -> bool:
    """Whether these lines, which a mail program marked, are headers: labels known here, or in any language with a digit."""
    labelled = [line for line in lines[:_MOST_LINES] if _label(line)]
    known = {"from", "subject"} <= set(_headers(lines[:_MOST_LINES]))
    dated = any(character.isdigit() for line in labelled for character in _value(line))
    return len(labelled) >= _LEAST_MARKED and (known or dated)


def _headers(lines: Sequence[str]) -> dict[str, str]:
    """The block's headers by their meaning; nothing if it is none. A label may mean two things ("Da:" is From in Italian
    and a date's in another language), then it means what is still missing."""
    found: dict[str, str] = {}
    unlabelled, open_label = 0, ""
    for line in lines:
        if not line.strip():
            if found:
                break
            continue
        label = _label(line)
        meanings = _LABELS.get(label, set())
        if label.startswith(_TRANSPORT):
            return {}
        if not meanings and open_label:
            # A table's label and value became two lines.
            found[open_label], open_label = line.strip(), ""
            continue
        if not meanings:
            # A long list of recipients goes on in the next lines; anything else ends the block.
            unlabelled += 1
            if not found or unlabelled > 3 or not _goes_on(line):
                break
            continue
        meaning = next((meaning for meaning in reversed(_MEANINGS) if meaning in meanings and meaning not in found), "")
        if meaning:
            found[meaning] = _value(line)
            open_label = "" if found[meaning] else meaning
    return found


def _goes_on(line: str) -> bool:
    return line[:1] in " \t" or "@" in line or ";" in line or line.rstrip().endswith(",")


def _label(line: str) -> str:
    """What stands before the colon, if it is short; folded."""
    head = line[: _LONGEST_LABEL + 12].lstrip(_DECORATION)
    ends = [place for colon in COLONS if (place := head.find(colon)) >= 0]
    if not ends:
        return ""
    head = head[: min(ends)].strip(_DECORATION)
    return fold(head).strip().rstrip(".") if len(head) <= _LONGEST_LABEL else ""


def _value(line: str) -> str:
    return line.replace("：", ":").partition(":")[2].strip(_DECORATION)
