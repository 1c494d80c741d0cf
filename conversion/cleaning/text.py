"""The newest text of an email and its signature, out of the sections of its body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conversion.cleaning.attribution import last_written
from conversion.cleaning.banners import banner_end
from conversion.cleaning.forwards import forward_start, is_forward_subject, is_reply_subject
from conversion.cleaning.html import has_marks, text_of
from conversion.cleaning.marked_text import MarkedText, joined
from conversion.cleaning.quotes import Reading, first_quote
from conversion.cleaning.signatures import Signature, find_signature
from conversion.limits import Limits
from conversion.mime.parts import Section

LEAST_TIMES = 4
MOST_QUOTES = 5
"""One above the other, each found by another rule."""
ENDS_BEFORE_A_SIGNATURE = ("marked-quote", "quoted-lines")
FORWARDED_TOO = ("marked-headers", "marked-quote", "original-message", "header-block")
"""Rules for what programs write above an email that is answered or forwarded alike."""
ANSWERED = ("quoted-lines", "attribution", "drawn-attribution")
"""Rules for what programs write above the email that is answered, and never above one that is forwarded."""
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


def clean(sections: Sequence[Section], subject: str, limits: Limits, sender: str = "") -> CleanText:
    """What the person wrote. If cutting would leave nothing, nothing is cut. `sender` is the From, as `Name <address>`."""
    text = joined(_section(section, limits) for section in sections)
    start, forward = banner_end(text.lines, limits), _forward(text, subject, limits)
    end, signature, cuts = _without_history(text, start, forward, limits, sender)
    if forward is None or forward >= end:
        below = _own_signature(Reading(text, end, limits), start, sender)
        if below is not None and below.first == start and cuts and not _is_answer(subject, cuts[-1].rule):
            # Nothing but a signature above an earlier email: somebody forwarded it.
            return _whole(text)
        if below is not None and below.first > start:
            piece = _text(text, below.first, end)
            signature = f"{_without_delimiter(piece)}\n\n{signature}" if signature else piece
            cuts.append(Cut(f"signature: {below.rule}", piece))
            end = below.first
    newest = _text(text, start, end)
    if not newest:
        return _whole(text)
    if start:
        cuts.append(Cut("banner", _text(text, 0, start)))
    return CleanText(newest, _without_delimiter(signature), tuple(cuts))


def _without_history(
    text: MarkedText, start: int, forward: int | None, limits: Limits, sender: str
) -> tuple[int, str, list[Cut]]:
    """Where the text ends without its history, the sender's signature if it stood below the history, and what was cut."""
    end, signature, cuts = len(text.lines), "", list[Cut]()
    for _ in range(MOST_QUOTES):
        found = _history(Reading(text, end, limits), forward, sender)
        if found is None or found.first < start:
            break
        cuts.append(Cut(found.rule, _text(text, found.first, found.end)))
        if found.end < end:
            signature = _text(text, found.end, end)
            cuts.append(Cut("signature: below a quote", signature))
        end = found.first
    return end, signature, cuts


def _forward(text: MarkedText, subject: str, limits: Limits) -> int | None:
    """Where a forwarded email begins, by its mark, by words, or in a forward by its headers."""
    forward = forward_start(text, limits)
    if forward is None and is_forward_subject(subject, text):
        return _headers_start(text, limits)
    return forward


def _headers_start(text: MarkedText, limits: Limits) -> int | None:
    """Where the headers of an earlier email begin: in a forward they begin the content, since it has no other mark."""
    quote = first_quote(Reading(text, len(text.lines), limits))
    return quote.first if quote is not None and quote.rule in FORWARDED_TOO else None


def _whole(text: MarkedText) -> CleanText:
    return CleanText(_text(text, 0, len(text.lines)), "", ())


def _own_signature(reading: Reading, start: int, sender: str) -> Signature | None:
    """The signature at the end of what somebody wrote from line `start` on.

    One that would take all that is written: by fewer rules, if those leave something ("Thanks, Ann" above a signature).
    """
    found = find_signature(reading, sender)
    if found is None or ((above := last_written(reading.lines, found.first)) is not None and above >= start):
        return found
    fewer = find_signature(reading, sender, leaving=start)
    return fewer or Signature(start, found.rule)


def _is_answer(subject: str, rule: str) -> bool:
    """Whether the earlier email below was answered and not forwarded: programs quote it in another way then."""
    return is_reply_subject(subject) or rule in ANSWERED


@dataclass(frozen=True, slots=True)
class _History:
    first: int
    end: int
    rule: str


def _section(section: Section, limits: Limits) -> MarkedText:
    """The better one of plain text and HTML. HTML, if its mail program left marks in it, since plain text knows nothing
    of them, or if the plain text holds less than a quarter of its words; else plain text, since its lines are those
    that the person saw being written."""
    plain = _visible(MarkedText(tuple((section.plain or "").split("\n"))))
    if section.html is None:
        return plain
    plain_counts = any(plain.lines) and not has_marks(section.html, limits)
    if plain_counts and not _may_be_stub(plain, section.html):
        return plain
    page = _visible(text_of(section.html, limits))
    least = LEAST_TIMES * _words(plain) if plain_counts else 1
    return page if _words(page) >= least else plain


def _may_be_stub(plain: MarkedText, html: str) -> bool:
    """Whether a plain part is so short that it may say no more than "please look at the HTML"."""
    return sum(map(len, plain.lines)) * LEAST_TIMES < len(html)


def _words(text: MarkedText) -> int:
    return sum(len(line.split()) for line in text.lines)


def _visible(text: MarkedText) -> MarkedText:
    """Lines without what cannot be seen. The delimiter of a signature keeps the blank that makes it one."""
    lines = (INVISIBLE.sub("", line.translate(SPACES)) for line in text.lines)
    return MarkedText(tuple(line if line == "-- " else line.rstrip() for line in lines), text.regions)


def _history(reading: Reading, before: int | None, sender: str) -> _History | None:
    """The earliest history, and where it ends: at the end of the text, or at a signature below it."""
    signature = find_signature(reading, sender)
    for end in [signature.first, reading.end] if signature is not None else [reading.end]:
        quote = first_quote(Reading(reading.text, end, reading.limits))
        if quote is not None and (before is None or quote.first < before):
            # Headers tell where history begins and not where it ends: a signature in it is somebody else's.
            return _History(quote.first, end if quote.rule in ENDS_BEFORE_A_SIGNATURE else reading.end, quote.rule)
    return None


def _text(text: MarkedText, first: int, end: int) -> str:
    return _tidy("\n".join(text.lines[first:end]))


def _without_delimiter(signature: str) -> str:
    return _tidy("\n".join(line for line in signature.split("\n") if line.strip() != "--"))


def _tidy(text: str) -> str:
    """No blanks at the end of lines, no runs of blank lines, none around the text."""
    return BLANK_LINES.sub("\n\n", without_trailing_blanks(text)).strip("\n").rstrip()


def without_trailing_blanks(text: str) -> str:
    """The text without the white space at the end of its lines. Not by a regular expression: that would try every blank of
    a run inside a line as the beginning of a match, in quadratic time."""
    return "\n".join(line.rstrip() for line in text.split("\n"))
