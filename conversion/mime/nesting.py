"""Limit the nesting depth of HTML elements before parsing."""

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
"""Elements that have no end tag, or an optional end tag (HTML standard, §13.1.2.4). They are not counted."""


def until_too_deep(html: str, deepest: int) -> str:
    """Return the page up to the first tag that opens an element beyond the limit.

    Counts the tags as written, in one pass.

    Args:
        html: The page.
        deepest: Maximum nesting depth.

    Returns:
        The page or its beginning.
    """
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
