"""Signatures without a closing or a delimiter: the name of the sender with contact details below."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversion.cleaning.evidence import has_address
from conversion.cleaning.languages import fold, is_unspaced

_MAX_LINES = 12
_LONGEST_LINE = 90
_LEAST_EVIDENCE = 2
_LEAST_DIGITS = 7
_MAX_NAME_WORDS = 5
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-/]{6,24}\d")
_LABELLED_PHONE = re.compile(
    r"(?:tel|telefon|telefoon|telephone|phone|ph|t|m|mob|mobile|mobil|cell|fax|f|direct|gsm|handy|puh|тел|τηλ|電話|电话|전화|هاتف|טל)"
    r"[.:\s|)]{0,3}\s?\+?\(?\d",
    re.IGNORECASE,
)
_WEB = re.compile(
    r"\b(?:https?://|www\.)\S+|\b[\w-]{2,40}\.(?:com|org|net|example|de|fr|co\.uk|eu|ch|at|nl|it|es|pl|se|dk|no|fi)\b",
    re.IGNORECASE,
)
_SENTENCE = (".", "!", "?", "。", "？", "！")


def contact_block_start(lines: Sequence[str], end: int, sender: str, *, above_history: bool = False) -> int | None:
    """Find a contact block at the end of a text.

    The first line names the sender, and at least two other lines have a telephone number, an address or a web page. A
    block that does not name the sender is accepted only if two blank lines precede it and a quote follows it, because
    mail programs insert signatures in this way. In such a block, one line with contact details is enough, and the first
    line must have at most five words and no digit.

    Args:
        lines: The text.
        end: Number of the line after the block.
        sender: From of the email, as `Name <address>`.
        above_history: Whether a quote follows the block.

    Returns:
        Number of the first line of the block, or None.
    """
    names = _names(sender)
    evidence, written = 0, 0
    for number in range(end - 1, -1, -1):
        line = lines[number].strip()
        if not line:
            if (
                written
                and above_history
                and evidence
                and _is_set_apart(lines, number)
                and _may_be_name(lines[number + 1])
            ):
                return None if _is_introduced(lines, number) else number + 1
            continue
        written += 1
        if written > _MAX_LINES or len(line) > _LONGEST_LINE or line.startswith((">", "-", "*", "•")):
            return None
        starts = number == 0 or not lines[number - 1].strip()
        if starts and evidence >= _LEAST_EVIDENCE and _is_named(line, names):
            return None if _is_introduced(lines, number) else number
        if line.endswith(_SENTENCE) and (len(line.split()) > _MAX_NAME_WORDS or is_unspaced(line[-2:-1] or " ")):
            return None
        evidence += has_contact_details(line)
    return None


def _is_set_apart(lines: Sequence[str], number: int) -> bool:
    return number >= 1 and not lines[number - 1].strip() and bool(lines[number + 1].strip())


def _may_be_name(line: str) -> bool:
    return len(line.split()) <= _MAX_NAME_WORDS and not any(character.isdigit() for character in line)


def _names(sender: str) -> frozenset[str]:
    """Return the words of the sender's name and of the local part of the address."""
    name, _, address = fold(sender).partition("<")
    words = re.split(r"[^\w]+", f"{name} {address.partition('@')[0]}")
    return frozenset(word for word in words if len(word) > 1 and not word.isdigit())


def _is_named(line: str, names: frozenset[str]) -> bool:
    words = re.split(r"[^\w]+", fold(line.partition(",")[0].partition("|")[0]))
    words = [word for word in words if word]
    return 0 < len(words) <= _MAX_NAME_WORDS and sum(word in names for word in words) * 2 >= len(words)


def has_contact_details(line: str) -> bool:
    """Return whether a line has a telephone number, an address or a web page.

    Args:
        line: The line.

    Returns:
        True for a line with contact details.
    """
    phone = _PHONE.search(line)
    number = phone is not None and sum(map(str.isdigit, phone[0])) >= _LEAST_DIGITS
    return bool(number or has_address(line) or _LABELLED_PHONE.search(line) or _WEB.search(line))


def _is_introduced(lines: Sequence[str], number: int) -> bool:
    above = next((line.strip() for line in reversed(lines[max(0, number - 4) : number]) if line.strip()), "")
    return above.endswith((":", "：", ","))
