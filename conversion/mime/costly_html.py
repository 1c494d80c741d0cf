"""Cut HTML so that the parser needs no more than linear time.

The parser (lexbor) is written in C and cannot be interrupted. So everything for which the parser takes quadratic time or
memory is limited before parsing:

- attributes of one tag: each attribute is compared with all earlier ones;
- options: each new option is compared with all options in its list;
- formatting elements whose paragraph ends before their end tag: the parser opens each of them again in every following
paragraph (HTML standard, §13.2.4.3).
"""

from __future__ import annotations

import re
from collections import Counter

MAX_ATTRIBUTES = 300
"""A tag is too costly if it has at least this number of attributes."""
MAX_OPTIONS = 5_000
"""Maximum number of options of a page."""
MAX_REOPENED = 500_000
"""Maximum number of formatting elements that the parser opens again. An upper bound of this number is computed. Each element
takes some hundred bytes."""
_CHEAP_CHARS, _CHEAP_TAGS = 20_000, 1_000
"""A page is not searched for tags with many attributes if it has at most the first number of characters. A page is not
searched for formatting elements if it has at most the second number of `<`. Such pages are never costly."""
_MAX_ALIKE = 3
"""Maximum number of formatting elements with equal attributes that the parser tracks ("Noah's Ark clause" of the
standard)."""

_MANY_ATTRIBUTES = re.compile(
    r"<[a-zA-Z][^\s/><]*+"
    r"(?:[\s/]*+[^\s/>][^\s/><=]*+(?:\s*+=\s*+(?:\"[^\"]*\"|'[^']*'|[^\s><\"'][^\s><]*+|(?=[<>])))?+)"
    f"{{{MAX_ATTRIBUTES}}}"
)
"""A `<` inside a name or an unquoted value counts as one more attribute. Otherwise the search would scan the rest of the tag
again from each such `<`."""
_OPTION = re.compile(r"<option\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_FORMATTING = frozenset(("b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"))
"""`a` and `nobr` are not included: the parser never has two of them open at the same time."""
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
    """Return the page up to the first tag that makes parsing too costly; nearly always the whole page.

    Args:
        html: The page.

    Returns:
        The page or its beginning.
    """
    for costly in (_many_attributes, _many_options, _many_reopened):
        html = html[: costly(html)]
    return html


def _many_attributes(html: str) -> int | None:
    """Return where the first tag with at least `MAX_ATTRIBUTES` begins, or None. Short pages are not searched.

    Every `<` before a letter counts as a tag, also in comments and scripts, so that a quotation mark cannot hide a tag.
    """
    if len(html) <= _CHEAP_CHARS:
        return None
    match = _MANY_ATTRIBUTES.search(html)
    return match.start() if match else None


def _many_options(html: str) -> int | None:
    """Return where the first option over `MAX_OPTIONS` begins, or None."""
    for number, option in enumerate(_OPTION.finditer(html)):
        if number >= MAX_OPTIONS:
            return option.start()
    return None


def _many_reopened(html: str) -> int | None:
    """Return where the tag begins at which the upper bound exceeds `MAX_REOPENED`, or None.

    Pages with few tags are not searched.
    """
    if html.count("<") <= _CHEAP_TAGS:
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
        cost += page.to_reopen
        if cost > MAX_REOPENED:
            return tag.start()
    return None


class _Open:
    """The open elements that matter for the cost.

    Attributes:
        to_reopen: Number of formatting elements that the parser opens again in the next paragraph.
    """

    def __init__(self) -> None:
        self.to_reopen = 0
        self._stack: list[tuple[str, str]] = []  # name and tag; the tag is used only for formatting elements
        self._open_counts: Counter[str] = Counter()  # count of each name on the stack
        self._ended_counts: Counter[str] = Counter()  # formatting elements on the stack whose end tag was read
        self._tags_to_reopen: dict[str, list[str]] = {}  # tags of the elements to open again, by name
        self._tag_counts: Counter[str] = Counter()  # count of each tag among the elements to open again

    def start(self, name: str, tag: str) -> None:
        """Process a start tag.

        Args:
            name: Lower-case name of the element.
            tag: First 60 characters of the tag in lower case, to compare attributes.
        """
        if name in _CELLS:
            self._close(_CELLS, again=False)
        elif name in _CLOSE_THEMSELVES:
            self._close({name})
        elif name in _CLOSE_PARAGRAPHS:
            self._close({"p"})
        self._stack.append((name, tag))
        self._open_counts[name] += 1

    def end(self, name: str) -> None:
        """Process an end tag.

        Args:
            name: Lower-case name of the element.
        """
        if name in _ENDS_CELLS:
            self._close({name}, again=False)
        elif name not in _FORMATTING:
            self._close({name})
        elif self._tags_to_reopen.get(name):
            self._tag_counts[self._tags_to_reopen[name].pop()] -= 1
            self.to_reopen -= 1
        elif self._open_counts[name] > self._ended_counts[name]:
            self._ended_counts[name] += 1

    def _close(self, names: frozenset[str] | set[str], *, again: bool = True) -> None:
        """Pop elements, up to and including the first one that has one of these names.

        With `again`, the parser opens the popped formatting elements again in the next paragraph.
        """
        if not any(self._open_counts[name] for name in names):
            return
        while True:
            name, tag = self._stack.pop()
            self._open_counts[name] -= 1
            if name in names:
                return
            if name not in _FORMATTING:
                continue
            if self._ended_counts[name]:
                self._ended_counts[name] -= 1
            elif again and self._tag_counts[tag] < _MAX_ALIKE:
                self._tag_counts[tag] += 1
                self._tags_to_reopen.setdefault(name, []).append(tag)
                self.to_reopen += 1
