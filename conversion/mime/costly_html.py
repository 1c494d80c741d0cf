"""HTML that costs its parser no more than linear time.

The parser (lexbor) is written in C and cannot be interrupted, so what it takes quadratic time or memory for is bounded before:
attributes of one tag (each is compared with all before it), options (each new one goes through those of its list), and
formatting elements that end with their paragraph without an end tag. The standard (§13.2.4.3) opens each of these again in
every following paragraph.
"""

from __future__ import annotations

import re
from collections import Counter

MOST_ATTRIBUTES = 300
"""Of one tag."""
MOST_OPTIONS = 5_000
MOST_REOPENED = 500_000
"""Elements that the parser makes although no tag stands for them. Each takes some hundred bytes."""
_FEW_CHARS, _FEW_TAGS = 20_000, 1_000
"""A page of so few is never costly."""
_MOST_ALIKE = 3
"""Formatting elements with the same attributes of which the parser keeps track (the standard's "Noah's Ark clause")."""

_MANY_ATTRIBUTES = re.compile(
    r"<[a-zA-Z][^\s/><]*+"
    r"(?:[\s/]*+[^\s/>][^\s/><=]*+(?:\s*+=\s*+(?:\"[^\"]*\"|'[^']*'|[^\s><\"'][^\s><]*+|(?=[<>])))?+)"
    f"{{{MOST_ATTRIBUTES}}}"
)
"""What follows a `<` inside a name or a value counts as one more attribute, or each such `<` would read all of it again."""
_OPTION = re.compile(r"<option\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_FORMATTING = frozenset(("b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"))
"""Without `a` and `nobr`, of which the parser keeps no two open at a time."""
_CELLS = frozenset(("td", "th", "caption"))
_ENDS_CELLS = frozenset((*_CELLS, "tr", "tbody", "thead", "tfoot", "table"))
_CLOSE_THEMSELVES = frozenset(("li", "dd", "dt", "option"))
_CLOSE_PARAGRAPHS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "center",
            "details",
            "dir",
            "div",
            "dl",
            "fieldset",
            "figure",
            "footer",
        ),
        *(
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "dd",
            "dt",
            "main",
            "menu",
            "nav",
            "ol",
            "p",
            "pre",
        ),
        *("section", "summary", "ul"),
    )
)
_COUNTED = _FORMATTING | _ENDS_CELLS | _CLOSE_THEMSELVES | _CLOSE_PARAGRAPHS


def until_too_costly(html: str) -> str:
    """The page up to the first tag that would make its parsing too costly; nearly always the whole page."""
    for costly in (_many_attributes, _many_options, _many_reopened):
        html = html[: costly(html)]
    return html


def _many_attributes(html: str) -> int | None:
    """Where a tag begins that has more than `MOST_ATTRIBUTES`. Every `<` with a letter is taken for a tag, also in comments
    and scripts, so that no quotation mark can hide one."""
    if len(html) <= _FEW_CHARS:
        return None
    found = _MANY_ATTRIBUTES.search(html)
    return found.start() if found else None


def _many_options(html: str) -> int | None:
    for number, option in enumerate(_OPTION.finditer(html)):
        if number >= MOST_OPTIONS:
            return option.start()
    return None


def _many_reopened(html: str) -> int | None:
    """Where the parser would have opened more than `MOST_REOPENED` elements again."""
    if html.count("<") <= _FEW_TAGS:
        return None
    page, cost = _Open(), 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name not in _COUNTED:
            continue
        if tag[1]:
            page.end(name)
        else:
            page.start(name, html[tag.start() : tag.start() + 60].partition(">")[0].lower())
        cost += page.left
        if cost > MOST_REOPENED:
            return tag.start()
    return None


class _Open:
    """The elements that are open, as far as they matter, and the formatting elements `left` to be opened again."""

    def __init__(self) -> None:
        self.left = 0
        self._stack: list[tuple[str, str]] = []  # name, and for a formatting element its tag
        self._there: Counter[str] = Counter()  # of each name on the stack
        self._ended: Counter[str] = Counter()  # of those, formatting elements whose end tag came
        self._left: dict[str, list[str]] = {}  # tags by name
        self._alike: Counter[str] = Counter()

    def start(self, name: str, tag: str) -> None:
        if name in _CELLS:
            self._close(_CELLS, again=False)
        elif name in _CLOSE_THEMSELVES:
            self._close({name})
        elif name in _CLOSE_PARAGRAPHS:
            self._close({"p"})
        self._stack.append((name, tag))
        self._there[name] += 1

    def end(self, name: str) -> None:
        if name in _ENDS_CELLS:
            self._close({name}, again=False)
        elif name not in _FORMATTING:
            self._close({name})
        elif self._left.get(name):
            self._alike[self._left[name].pop()] -= 1
            self.left -= 1
        elif self._there[name] > self._ended[name]:
            self._ended[name] += 1

    def _close(self, names: frozenset[str] | set[str], *, again: bool = True) -> None:
        """Take elements from the stack up to one of these; the formatting elements among them are opened `again` later."""
        if not any(self._there[name] for name in names):
            return
        while True:
            name, tag = self._stack.pop()
            self._there[name] -= 1
            if name in names:
                return
            if name not in _FORMATTING:
                continue
            if self._ended[name]:
                self._ended[name] -= 1
            elif again and self._alike[tag] < _MOST_ALIKE:
                self._alike[tag] += 1
                self._left.setdefault(name, []).append(tag)
                self.left += 1
