"""Quoted history in plain text: where it begins, when that is beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sync.cleaning import words
from sync.limits import Limits

HEADER_LINE = re.compile(r"^\s{0,3}\*{0,2}([^\W\d_][^:：\n]{0,24}?)\s?[:：]\*{0,2}(?:\s|$)")
SEPARATOR = re.compile(r"^[\s>]{0,4}[-_=*]{2,60}\s*([^-_=*\n]{2,60}?)\s*[-_=*]{2,60}\s*$")
RULE_LINE = re.compile(r"^\s*[_-]{10,200}\s*$")
LABELS = {label: meaning for meaning, labels in words.HEADER_LABELS.items() for label in labels}
BLOCK_LINES = 8
ATTRIBUTION_LINES = 4
ATTRIBUTION_CHARS = 400


@dataclass(frozen=True, slots=True)
class Quote:
    """The line at which the quoted history begins, and the rule that found it."""

    line: int
    rule: str


def find_quote(lines: Sequence[str], *, forwards: bool, limits: Limits) -> Quote | None:
    """Where everything that follows is quoted history. None when there is none, or any doubt.

    `forwards`: the subject says that this email forwards another one, so that its header block is content.
    """
    seen = lines[: limits.lines]
    for number, line in enumerate(seen):
        if len(line) > limits.line_chars:
            continue
        if _is_forward(line):
            return None
        rule = _rule_at(seen, number, line, forwards=forwards, limits=limits)
        if rule is not None:
            return Quote(number, rule)
    return None


def is_forward_subject(subject: str) -> bool:
    return subject.strip().casefold().startswith(words.FORWARD_PREFIXES)


def _rule_at(lines: Sequence[str], number: int, line: str, *, forwards: bool, limits: Limits) -> str | None:
    if line.startswith(">"):
        return None
    if _attribution_ends(lines, number, limits):
        return "attribution"
    if forwards:
        return None
    if _is_separator(line) and _labels_below(lines, number + 1) >= 2:
        return "original message"
    if RULE_LINE.match(line) and _labels_below(lines, number + 1) >= 3:
        return "rule above a header block"
    if _label(line) == "from" and _blank_above(lines, number) and _labels_below(lines, number) >= 4:
        return "header block"
    return None


def _attribution_ends(lines: Sequence[str], number: int, limits: Limits) -> bool:
    """`On … wrote:`, on up to four lines, with nothing but quoted lines after it."""
    if not lines[number].strip() or not _blank_above(lines, number):
        return False
    for length in range(1, ATTRIBUTION_LINES + 1):
        last = lines[number + length - 1] if number + length <= len(lines) else ""
        if not last.strip() or len(last) > limits.line_chars:
            return False
        text = " ".join(lines[number : number + length])
        if _ends_attribution(last, text):
            dated = any(character.isdigit() for character in text) or "@" in text
            return dated and len(text) <= ATTRIBUTION_CHARS and _all_quoted(lines, number + length)
    return False


def _ends_attribution(last: str, text: str) -> bool:
    if last.rstrip().casefold().endswith(words.ATTRIBUTION_ENDS):
        return True
    return last.rstrip().endswith(":") and any(verb in text.casefold() for verb in words.ATTRIBUTION_MIDDLES)


def _all_quoted(lines: Sequence[str], start: int) -> bool:
    rest = [line for line in lines[start:] if line.strip()]
    return bool(rest) and all(line.lstrip().startswith(">") for line in rest)


def _is_separator(line: str) -> bool:
    found = SEPARATOR.match(line) if line.lstrip(" >").startswith(("-", "_", "=", "*")) else None
    return found is not None and found.group(1).strip().casefold() in words.ORIGINAL_MESSAGE


def _is_forward(line: str) -> bool:
    low = line.casefold().strip(" >-_=*")
    return len(low) < 120 and any(mark in low for mark in words.FORWARDED) and (
        line.lstrip(" >").startswith(("-", "_", "=", "*")) or low.startswith(words.FORWARDED)
    )  # fmt: skip


def _labels_below(lines: Sequence[str], start: int) -> int:
    """How many different labels of a header block stand in the lines from there on."""
    found: set[str] = set()
    missed = 0
    for line in lines[start : start + BLOCK_LINES]:
        meaning = _label(line)
        if meaning is not None:
            found.add(meaning)
        elif found:
            missed += 1
        elif line.strip():
            return 0
        if missed > 2:
            break
    return len(found)


def _label(line: str) -> str | None:
    match = HEADER_LINE.match(line[:200])
    return LABELS.get(match.group(1).strip().casefold()) if match else None


def _blank_above(lines: Sequence[str], number: int) -> bool:
    return number == 0 or not lines[number - 1].strip() or bool(RULE_LINE.match(lines[number - 1][:300]))
