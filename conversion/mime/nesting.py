"""HTML of bounded depth: elements within elements are counted before anything is built of them."""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_WITHOUT_END = frozenset(
    (
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
            "wbr",
        ),
        *("p", "li", "td", "th", "tr", "dt", "dd", "option", "thead", "tbody", "tfoot", "colgroup"),
    )
)
"""Elements that have no end tag, or may do without (HTML standard, §13.1.2.4): they are not counted."""


def until_too_deep(html: str, deepest: int) -> str:
    """The page up to the tag that would open one element too many within others. Counts tags as written, in one pass."""
    if html.count("<") <= deepest:
        return html
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() in _WITHOUT_END:
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > deepest:
            return html[: tag.start()]
    return html
