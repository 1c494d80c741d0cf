"""Pages over which the HTML parser could take seconds or gigabytes. It is C code that holds the interpreter, so no timer
interrupts it: such a page is parsed in a process that has limits of its own.

Whether a page is one is told by its length and by an upper bound of what the parser would build. A harmless page that is taken
for a costly one costs its way to that process, and nothing else.
"""

from __future__ import annotations

import re

MOST_CHARS = 100_000
"""Up to here the worst page that we know takes half a second."""
MOST_OPENED = 300_000
"""Elements that may be opened anew: about 100 MB and half a second."""

# Elements that the parser opens anew in every block after one in which they were left open (HTML standard, "reconstruct the
# active formatting elements"), at most three alike. Of `a` and `nobr` only one is ever open.
_FORMATTING = re.compile(r"<(?:b|big|code|em|font|i|s|small|strike|strong|tt|u)(?=[\s/>])[^>]{0,1000}", re.IGNORECASE)
_ALIKE = 3


def is_costly(html: str) -> bool:
    """Whether the parser could take long over the page, or much memory."""
    return len(html) > MOST_CHARS or _opened_anew(html) > MOST_OPENED


def _opened_anew(html: str) -> int:
    """How many elements there are at most that the page does not write itself."""
    return _ALIKE * len({tag.group() for tag in _FORMATTING.finditer(html)}) * html.count("<")
