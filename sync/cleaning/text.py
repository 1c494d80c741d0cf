"""The newest text of an email and its signature, out of the sections of its body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sync.cleaning.forwards import forward_start, is_forward_subject
from sync.cleaning.html import has_marks, text_of
from sync.cleaning.marked_text import MarkedText, joined
from sync.cleaning.quotes import Reading, first_quote
from sync.cleaning.signatures import find_signature
from sync.limits import Limits
from sync.mime.parts import Section

MOST_QUOTES = 5
"""One above the other, each found by another rule."""
ENDS_BEFORE_A_SIGNATURE = ("marked-quote", "quoted-lines")
BLANKS = re.compile(r"[^\S\n]+(?=\n|$)")
BLANK_LINES = re.compile(r"\n{3,}")
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
SPACES = {0xA0: " ", 0x202F: " ", 0x2007: " ", 0x2028: " ", 0x2029: " "}


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of text that was left out, and the rule that did it."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class CleanText:
    newest: str
    signature: str
    cuts: tuple[Cut, ...]


def clean(sections: Sequence[Section], subject: str, limits: Limits) -> CleanText:
    """What the person wrote. If cutting would leave nothing, nothing is cut."""
    text = joined(_section(section, limits) for section in sections)
    forward = forward_start(text, limits)
    headers_are_content = is_forward_subject(subject) and forward is None
    cuts: list[Cut] = []
    end, signature = len(text.lines), ""
    for _ in range(MOST_QUOTES):
        found = None if headers_are_content else _history(Reading(text, end, limits), before=forward)
        if found is None:
            break
        cuts.append(Cut(found.rule, _text(text, found.first, found.end)))
        if found.end < end:
            signature = _text(text, found.end, end)
            cuts.append(Cut("signature: below a quote", signature))
        end = found.first
    if not signature and (forward is None or forward >= end):
        below = find_signature(Reading(text, end, limits))
        if below is not None:
            signature = _text(text, below.first, end)
            cuts.append(Cut(f"signature: {below.rule}", signature))
            end = below.first
    newest = _text(text, 0, end)
    if not newest:
        return CleanText(_text(text, 0, len(text.lines)), "", ())
    return CleanText(newest, _without_delimiter(signature), tuple(cuts))


@dataclass(frozen=True, slots=True)
class _History:
    first: int
    end: int
    rule: str


def _section(section: Section, limits: Limits) -> MarkedText:
    """HTML where its client left marks in it, since plain text knows nothing of them, or where there is nothing else;
    plain text otherwise, since its lines are those that the person saw being written."""
    plain = section.plain or ""
    if section.html is not None and (not plain.strip() or has_marks(section.html, limits)):
        page = text_of(section.html, limits)
        if any(line.strip() for line in page.lines):
            return _visible(page)
    return _visible(MarkedText(tuple(plain.split("\n"))))


def _visible(text: MarkedText) -> MarkedText:
    """Lines without what cannot be seen. The delimiter of a signature keeps the blank that makes it one."""
    lines = (INVISIBLE.sub("", line.translate(SPACES)) for line in text.lines)
    return MarkedText(tuple(line if line == "-- " else line.rstrip() for line in lines), text.regions)


def _history(reading: Reading, before: int | None) -> _History | None:
    """The earliest history, and where it ends: at the end of the text, or at a signature below it."""
    signature = find_signature(reading)
    for end in [signature.first, reading.end] if signature is not None else [reading.end]:
        quote = first_quote(Reading(reading.text, end, reading.limits))
        if quote is not None and (before is None or quote.first < before):
            # Headers tell where history begins and not where it ends: a signature in it is somebody else's.
            return _History(quote.first, end if quote.rule in ENDS_BEFORE_A_SIGNATURE else reading.end, quote.rule)
    return None


def _text(text: MarkedText, first: int, end: int) -> str:
    return _tidy("\n".join(text.lines[first:end]))


def _without_delimiter(signature: str) -> str:
    first, _, rest = signature.partition("\n")
    return rest.strip("\n") if first.rstrip() == "--" else signature


def _tidy(text: str) -> str:
    """No blanks at the end of lines, no runs of blank lines, none around the text."""
    return BLANK_LINES.sub("\n\n", BLANKS.sub("", text)).strip("\n").rstrip()
