"""Signatures that begin with a closing, such as "Kind regards,", with a name and contact details below."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversion.cleaning.languages import fold, is_unspaced, of_all

MAX_LINES = 16
"""Maximum number of non-blank lines of a signature with a closing."""
_LONGEST_LINE = 100
_MAX_NAMES, _FEW_NAMES = 5, 2
_LONGEST_CLOSING = 80
_SENTENCE_WORDS = 9
_ENDS = " \t,.!;:–—-…~،。、，！*_/|"
_SENTENCE_ENDS = ("!", "！", ".", "。", "?", "？")
_LONGEST_COMPANY = 250
_STRONG, _WEAK = of_all("closings"), of_all("thanks")
_LAST_SENTENCES, _COMPANY, _AFTER_NAME = of_all("last_sentences"), of_all("company"), of_all("after_name")
_LONGEST_SIGNED = 24
_CONNECTORS = frozenset(of_all("connectors"))
_SHORT = 3
"""If a closing has at most this many characters ("br", "t", "mfg") and a name follows in the same line, a blank line
must precede it."""
_POSTSCRIPT = tuple(f"{word}{end}" for word in of_all("postscript") for end in (":", ".", " "))
PARTICLES = of_all("particles")
"""Lower-case words in the names of people."""
_LONGEST_TITLE = 2
_FROM_PLACES = frozenset(of_all("from_places"))
_CONTACT = re.compile(r"[\d@/|]|www\.")
_BLANKS = re.compile(r"\s+")


def closing_start(lines: Sequence[str], end: int) -> int | None:
    """Find the closing in the last lines of a text. Below a closing there must be no content.

    Args:
        lines: The text.
        end: Number of the line after the last one to search.

    Returns:
        Number of the first line of the signature, or None.
    """
    start, written, below, sentences = None, 0, end, 0
    for number in range(end - 1, -1, -1):
        line = lines[number].strip()
        if not line:
            continue
        written += 1
        if written > MAX_LINES:
            break
        if _is_closing(line, name_below=written > 1, alone=number == 0 or not lines[number - 1].strip()):
            if below < end and _continues_sentence(lines[below].strip()):
                break
            start = number
        elif written > 1 and start is None and not sentences and _is_last_sentence(line):
            return below
        elif _is_content(line):
            break
        below = number
        sentences += line.endswith(_SENTENCE_ENDS)
    return start


def _is_closing(line: str, *, name_below: bool, alone: bool) -> bool:
    """Return whether a line is a closing.

    Args:
        line: The line.
        name_below: Whether another line of the signature follows.
        alone: Whether the line is the first one or a blank line precedes it.
    """
    if len(line) > _LONGEST_CLOSING:
        return False
    text = _BLANKS.sub(" ", fold(line)).strip(_ENDS)
    if len(text) <= _LONGEST_SIGNED and text.endswith(_AFTER_NAME):
        return True
    rest, strong, short = _without_closings(text)
    if rest is None:
        return False
    if not rest:
        # "Have a nice day!" below a blank line and above a name is a closing. "Thanks." is the last sentence of the content.
        calm = not line.endswith(_SENTENCE_ENDS) or (alone and line.endswith(("!", "！")))
        return strong or (name_below and calm)
    words = line.split()[-len(rest.split()) :]
    separated = line[: line.find(words[0])].rstrip().endswith((",", "!", "،"))
    if _is_name(words):
        return alone and len(words) <= _FEW_NAMES if short else strong or separated
    if line.endswith(_SENTENCE_ENDS) or len(words) > _MAX_NAMES or short:
        return False
    if strong and name_below and words[0] in _FROM_PLACES and _is_name(words[1:]):
        return True  # "Herzliche Grüße aus Passau"
    # "Liebe Grüße, auch an Anna", "Obrigada e até sexta,"
    return (strong and separated) or (name_below and line.endswith((",", "،")))


def _without_closings(text: str) -> tuple[str | None, bool, bool]:
    """Remove the closings at the beginning of a line.

    Returns the rest, whether a removed closing was a strong one, and whether the first removed closing was an
    abbreviation. The rest is None if the line does not begin with a closing.
    """
    strong, short, begun = False, False, False
    while text:
        phrase = _starts_with(text, _STRONG)
        if phrase:
            strong = True
        else:
            phrase = _starts_with(text, _WEAK)
        if not phrase:
            break
        short = short or (not begun and len(phrase) <= _SHORT and not is_unspaced(phrase))
        begun, text = True, text[len(phrase) :].strip(_ENDS)
        first, _, after = text.partition(" ")
        if first in _CONNECTORS and (_starts_with(after, _STRONG) or _starts_with(after, _WEAK)):
            text = after
    return (text if begun else None), strong, short


def _starts_with(text: str, phrases: tuple[str, ...]) -> str:
    if not text.startswith(phrases):
        return ""
    for phrase in phrases:
        if text.startswith(phrase):
            after = text[len(phrase) : len(phrase) + 1]
            if not after.isalnum():
                return phrase
    return ""


def _is_name(words: Sequence[str]) -> bool:
    """Return whether words are a name: few words, each capitalised if its script has capitals, and no digits."""
    if not 0 < len(words) <= _MAX_NAMES or any(character.isdigit() for word in words for character in word):
        return False
    if words[-1].endswith(_SENTENCE_ENDS) and len(words[-1]) > _SHORT:
        return False
    return all(not word[0].islower() or word in PARTICLES for word in words)


def _continues_sentence(line: str) -> bool:
    """Return whether a line is the rest of a sentence and not a name ("for the whole team" below "Cheers")."""
    words = line.split()
    title = words[0].endswith(".") or len(words[0]) <= _LONGEST_TITLE or words[0] in PARTICLES
    return len(words) > 1 and words[0][0].islower() and not title and not _CONTACT.search(line)


def _is_last_sentence(line: str) -> bool:
    """Return whether a line is a polite phrase that ends emails in some languages ("よろしくお願いいたします。").

    The phrase is content; the name below is the signature.
    """
    return len(line) <= _LONGEST_CLOSING and fold(line).strip(_ENDS).endswith(_LAST_SENTENCES)


def _is_content(line: str) -> bool:
    """Return whether a line below a closing is content: a postscript, quote, list, question, introduction or long text."""
    if len(line) <= _LONGEST_COMPANY and any(word in fold(line) for word in _COMPANY):
        return False
    if len(line) > _LONGEST_LINE or line.startswith((">", "- ", "* ", "• ")) or line.endswith(("?", "？", "؟")):
        return True
    if line.endswith((":", "：")) and len(line.split()) > 1:
        return True
    if fold(line).startswith(_POSTSCRIPT):
        return True
    return line.endswith((".", "!", "。")) and len(line.split()) > _SENTENCE_WORDS
