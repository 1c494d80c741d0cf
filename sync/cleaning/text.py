"""The newest text of an email and its signature, out of the sections of its body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sync.cleaning.html import has_marks, text_of
from sync.cleaning.quotes import find_quote, is_forward_subject
from sync.cleaning.signatures import find_signature
from sync.limits import Limits
from sync.mime.parts import Section

BLANKS = re.compile(r"[^\S\n]+(?=\n|$)")
BLANK_LINES = re.compile(r"\n{3,}")
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
SPACES = {0xA0: " ", 0x202F: " ", 0x2007: " ", 0x2028: "\n", 0x2029: "\n\n"}


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
    forwards = is_forward_subject(subject)
    pieces = [_section(section, forwards, limits) for section in sections]
    whole = CleanText(
        newest=_tidy("\n\n".join(piece.newest for piece in pieces if piece.newest.strip())),
        signature=_tidy("\n".join(piece.signature for piece in pieces if piece.signature.strip())),
        cuts=tuple(cut for piece in pieces for cut in piece.cuts),
    )
    return _plain_rules(whole, forwards, limits)


def _section(section: Section, forwards: bool, limits: Limits) -> CleanText:
    """HTML where its client left marks in it, since plain text knows nothing of them, or where there is nothing else;
    plain text otherwise, since its lines are those that the person saw being written."""
    plain_says = section.plain is not None and bool(section.plain.strip())
    if section.html is not None and (not plain_says or has_marks(section.html)):
        page = text_of(section.html, forwards=forwards, limits=limits)
        if page.text.strip() or not plain_says:
            return CleanText(page.text, page.signature, tuple(Cut(rule, text) for rule, text in page.cuts))
    return CleanText(section.plain or "", "", ())


def _plain_rules(text: CleanText, forwards: bool, limits: Limits) -> CleanText:
    """The rules for plain text, also over what came out of HTML: not every client leaves marks."""
    lines = text.newest.split("\n")
    cuts = list(text.cuts)
    quote = find_quote(lines, forwards=forwards, limits=limits)
    if quote is not None and _says_something(lines[: quote.line]):
        cuts.append(Cut(quote.rule, "\n".join(lines[quote.line :])))
        lines = lines[: quote.line]
    signature = text.signature
    found = find_signature(lines)
    if found is not None and _says_something(lines[: found[0]]):
        number, rule = found
        below = "\n".join(lines[number + 1 :] if rule == "delimiter" else lines[number:])
        cuts.append(Cut(f"signature: {rule}", below))
        signature = _tidy(f"{below}\n{signature}")
        lines = lines[:number]
    return CleanText(_tidy("\n".join(lines)), signature, tuple(cuts))


def _says_something(lines: Sequence[str]) -> bool:
    return any(line.strip() and not line.lstrip().startswith(">") for line in lines)


def _tidy(text: str) -> str:
    """Non-breaking blanks as blanks, invisible characters gone, no runs of blank lines, none around it."""
    text = INVISIBLE.sub("", text.translate(SPACES))
    return BLANK_LINES.sub("\n\n", BLANKS.sub("", text)).strip("\n").rstrip()
