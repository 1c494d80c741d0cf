"""Extract the newest text and the signature of an email from the sections of its body."""

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

MIN_WORD_RATIO = 4
"""The plain text of a section is not used if its HTML has at least this many times as many words."""
MAX_QUOTES = 5
"""Maximum number of quotes that are cut, each above the previous one."""
ENDS_BEFORE_A_SIGNATURE = ("marked-quote", "quoted-lines")
"""Rules that find quotes below which the author can have a signature."""
FORWARDED_TOO = ("marked-headers", "marked-quote", "original-message", "header-block")
"""Rules that match both in replies and in forwards: mail programs write the same lines above the earlier email."""
ANSWERED = ("quoted-lines", "attribution", "drawn-attribution")
"""Rules that match only in replies: mail programs do not write these lines in a forward."""
BLANK_LINES = re.compile(r"\n{3,}")
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
SPACES = {0xA0: " ", 0x202F: " ", 0x2007: " ", 0x2028: " ", 0x2029: " "}


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of text that was cut.

    Attributes:
        rule: Name of the rule that cut it.
        text: The piece.
    """

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class CleanText:
    """The result of cleaning.

    Attributes:
        newest: The text that the author wrote.
        signature: The signature of the author; may be empty.
        cuts: The pieces that were cut.
    """

    newest: str
    signature: str
    cuts: tuple[Cut, ...]


def clean(sections: Sequence[Section], subject: str, limits: Limits, sender: str = "") -> CleanText:
    """Extract the text that the author wrote. If nothing would remain, nothing is cut.

    Args:
        sections: The sections of the body.
        subject: The subject.
        limits: The limits of the conversion.
        sender: From of the email, as `Name <address>`.

    Returns:
        The newest text, the signature and the cuts.
    """
    text = joined(_best_version(section, limits) for section in sections)
    start, forward = banner_end(text.lines, limits), _forward_start(text, subject, limits)
    end, signature, cuts = _cut_quotes(text, start, forward, limits, sender)
    if forward is None or forward >= end:
        own_signature = _own_signature(Reading(text, end, limits), start, sender)
        if (
            own_signature is not None
            and own_signature.first == start
            and cuts
            and not _is_answer(subject, cuts[-1].rule)
        ):
            # Only a signature precedes the earlier email. So the email is a forward, and nothing is cut.
            return _uncut(text)
        if own_signature is not None and own_signature.first > start:
            signature_text = _tidy_lines(text, own_signature.first, end)
            signature = f"{_without_delimiter(signature_text)}\n\n{signature}" if signature else signature_text
            cuts.append(Cut(f"signature: {own_signature.rule}", signature_text))
            end = own_signature.first
    newest = _tidy_lines(text, start, end)
    if not newest:
        return _uncut(text)
    if start:
        cuts.append(Cut("banner", _tidy_lines(text, 0, start)))
    return CleanText(newest, _without_delimiter(signature), tuple(cuts))


def _cut_quotes(
    text: MarkedText, start: int, forward: int | None, limits: Limits, sender: str
) -> tuple[int, str, list[Cut]]:
    """Return the end of the text without quotes, the sender's signature if it was below a quote, and the cuts."""
    end, signature, cuts = len(text.lines), "", list[Cut]()
    for _ in range(MAX_QUOTES):
        earlier = _find_quote(Reading(text, end, limits), forward, sender)
        if earlier is None or earlier.first < start:
            break
        cuts.append(Cut(earlier.rule, _tidy_lines(text, earlier.first, earlier.end)))
        if earlier.end < end:
            signature = _tidy_lines(text, earlier.end, end)
            cuts.append(Cut("signature: below a quote", signature))
        end = earlier.first
    return end, signature, cuts


def _forward_start(text: MarkedText, subject: str, limits: Limits) -> int | None:
    """Return where a forwarded email begins, or None.

    It begins at a mark or at a separator line. If there is neither, and the subject has the prefix of a forward, it begins at
    the headers of an earlier email.
    """
    forward = forward_start(text, limits)
    if forward is None and is_forward_subject(subject, text):
        return _headers_start(text, limits)
    return forward


def _headers_start(text: MarkedText, limits: Limits) -> int | None:
    """Return where the headers of an earlier email begin. In a forward without other marks, content begins there."""
    quote = first_quote(Reading(text, len(text.lines), limits))
    return quote.first if quote is not None and quote.rule in FORWARDED_TOO else None


def _uncut(text: MarkedText) -> CleanText:
    return CleanText(_tidy_lines(text, 0, len(text.lines)), "", ())


def _own_signature(reading: Reading, start: int, sender: str) -> Signature | None:
    """Find the signature at the end of the author's text, which begins at line `start`.

    If the signature would be the whole text, a shorter signature is searched, so that some text remains: for example "Thanks,
    Ann" above a contact block.
    """
    signature = find_signature(reading, sender)
    if signature is None:
        return None
    above = last_written(reading.lines, signature.first)
    if above is not None and above >= start:
        return signature
    shorter = find_signature(reading, sender, must_keep=start)
    return shorter or Signature(start, signature.rule)


def _is_answer(subject: str, rule: str) -> bool:
    """Return whether the email is a reply and not a forward: mail programs quote differently in a reply."""
    return is_reply_subject(subject) or rule in ANSWERED


@dataclass(frozen=True, slots=True)
class _QuoteRegion:
    first: int
    end: int
    rule: str


def _best_version(section: Section, limits: Limits) -> MarkedText:
    """Choose between the plain text and the HTML of a section.

    HTML is used if there is no plain text, if the HTML has marks of a mail program, which plain text cannot have, or if the
    plain text has at most a quarter of the words of the HTML. Otherwise plain text is used, because it has the lines that
    the author saw.
    """
    plain = _remove_invisible(MarkedText(tuple((section.plain or "").split("\n"))))
    if section.html is None:
        return plain
    plain_counts = any(plain.lines) and not has_marks(section.html, limits)
    if plain_counts and not _may_be_stub(plain, section.html):
        return plain
    page = _remove_invisible(text_of(section.html, limits))
    least = MIN_WORD_RATIO * _words(plain) if plain_counts else 1
    return page if _words(page) >= least else plain


def _may_be_stub(plain: MarkedText, html: str) -> bool:
    """Return whether a plain part is so short that it can be a stub such as "please look at the HTML"."""
    return sum(map(len, plain.lines)) * MIN_WORD_RATIO < len(html)


def _words(text: MarkedText) -> int:
    return sum(len(line.split()) for line in text.lines)


def _remove_invisible(text: MarkedText) -> MarkedText:
    """Remove invisible characters. The signature delimiter keeps its trailing space, which is part of it."""
    lines = (INVISIBLE.sub("", line.translate(SPACES)) for line in text.lines)
    return MarkedText(tuple(line if line == "-- " else line.rstrip() for line in lines), text.regions)


def _find_quote(reading: Reading, before: int | None, sender: str) -> _QuoteRegion | None:
    """Find the first quote, and its end: the end of the text, or a signature below the quote."""
    signature = find_signature(reading, sender)
    for end in [signature.first, reading.end] if signature is not None else [reading.end]:
        quote = first_quote(Reading(reading.text, end, reading.limits))
        if quote is not None and (before is None or quote.first < before):
            # Headers show only where the quote begins. A signature below them belongs to the quoted email.
            return _QuoteRegion(quote.first, end if quote.rule in ENDS_BEFORE_A_SIGNATURE else reading.end, quote.rule)
    return None


def _tidy_lines(text: MarkedText, first: int, end: int) -> str:
    return _tidy("\n".join(text.lines[first:end]))


def _without_delimiter(signature: str) -> str:
    return _tidy("\n".join(line for line in signature.split("\n") if line.strip() != "--"))


def _tidy(text: str) -> str:
    """Remove trailing blanks from lines, repeated blank lines, and blank lines around the text."""
    return BLANK_LINES.sub("\n\n", without_trailing_blanks(text)).strip("\n").rstrip()


def without_trailing_blanks(text: str) -> str:
    """Remove the white space at the end of each line.

    This function does not use a regular expression, because that would try each blank of a run inside a line as the
    beginning of a match, in quadratic time.

    Args:
        text: The text.

    Returns:
        The text without trailing white space.
    """
    return "\n".join(line.rstrip() for line in text.split("\n"))
