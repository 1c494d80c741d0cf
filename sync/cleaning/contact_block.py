"""A signature without a closing or a delimiter: the sender's name, and below it how to reach them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sync.cleaning.evidence import has_address
from sync.cleaning.languages import fold

_MOST_LINES = 12
_LONGEST_LINE = 90
_LEAST_EVIDENCE = 2
_MOST_NAME_WORDS = 5
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


def contact_block_start(lines: Sequence[str], end: int, sender: str) -> int | None:
    """The first line of the block that ends at `end`, or None. Its first line names the sender (`Name <address>`), two
    others hold a telephone number, an address or a web page. Without the sender's name nothing is believed."""
    names = _names(sender)
    if not names:
        return None
    found, evidence, written = None, 0, 0
    for number in range(end - 1, -1, -1):
        line = lines[number].strip()
        if not line:
            continue
        written += 1
        if written > _MOST_LINES or len(line) > _LONGEST_LINE or line.startswith((">", "-", "*", "•")):
            break
        if _is_named(line, names) and evidence >= _LEAST_EVIDENCE and (number == 0 or not lines[number - 1].strip()):
            found = number
            break
        if line.endswith(_SENTENCE) and len(line.split()) > _MOST_NAME_WORDS:
            break
        evidence += _is_evidence(line)
    return None if found is None or _is_introduced(lines, found) else found


def _names(sender: str) -> frozenset[str]:
    """The words of the sender's name and of the local part of the address."""
    name, _, address = fold(sender).partition("<")
    words = re.split(r"[^\w]+", f"{name} {address.partition('@')[0]}")
    return frozenset(word for word in words if len(word) > 1 and not word.isdigit())


def _is_named(line: str, names: frozenset[str]) -> bool:
    words = re.split(r"[^\w]+", fold(line.partition(",")[0].partition("|")[0]))
    words = [word for word in words if word]
    return 0 < len(words) <= _MOST_NAME_WORDS and sum(word in names for word in words) * 2 >= len(words)


def _is_evidence(line: str) -> bool:
    return bool(has_address(line) or _LABELLED_PHONE.search(line) or _PHONE.search(line) or _WEB.search(line))


def _is_introduced(lines: Sequence[str], number: int) -> bool:
    above = next((line.strip() for line in reversed(lines[max(0, number - 4) : number]) if line.strip()), "")
    return above.endswith((":", "：", ","))
