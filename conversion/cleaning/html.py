"""Convert HTML to readable lines, with the regions that mail programs marked (`client_marks`).

Hidden elements are left out, unless all text is hidden. The parser (resiliparse) converts the tree to text. This module
neither walks the tree nor removes nodes, because both take time quadratic in the size of the page.
"""

from __future__ import annotations

import re
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from conversion.cleaning.client_marks import CLIENT_MARKS
from conversion.cleaning.marked_text import MarkedText, closing, opening, read_signs
from conversion.limits import Limits

MAX_MARKED = 500
"""Maximum number of marked elements per page. In practice, further elements are quotes inside of quotes that are marked."""

HIDDEN = [
    '[style*="display:none" i]',
    '[style*="display: none" i]',
    '[style*="display :none" i]',
    '[style*="display : none" i]',
    '[style*="visibility:hidden" i]',
    '[style*="visibility: hidden" i]',
    '[style*="max-height:0" i][style*="overflow:hidden" i]',
    '[style*="max-height: 0" i][style*="overflow: hidden" i]',
    "[hidden]",
    "noscript",
    "object",
    "template",
    "xml",
]
ANY_MARK = ", ".join(mark.selector for mark in CLIENT_MARKS)
CELL_GAP = re.compile(r"\t+")
# Word writes a paragraph into each table cell. In the text, the end of the paragraph would end the row.
CELL_PARAGRAPH = re.compile(r"(<t[dh]\b[^<>]{0,2000}>\s{0,200})<(?:p\b[^<>]{0,2000}|div)>", re.IGNORECASE)
CELL_PARAGRAPH_END = re.compile(r"(?:<o:p>(?:&nbsp;|\s){0,20}</o:p>)?</(?:p|div)>(\s{0,200}</t[dh]>)", re.IGNORECASE)
WORD_BULLET = re.compile(r"^(\s*)·\s+")
# The sign characters of `marked_text`, also as entities. If a page contains them, they are removed.
FOREIGN_SIGN = re.compile(
    r"[\ufdd0-\ufdef]|&#(?:x0*fd[de][0-9a-f]|0*(?:6497[6-9]|649[89]\d|6500[0-7]));?", re.IGNORECASE
)


def has_marks(html: str, limits: Limits) -> bool:
    """Return whether a page has marks of a mail program. Plain text does not have this information.

    Args:
        html: The page.
        limits: The limits of the conversion.

    Returns:
        True if it has at least one mark.
    """
    body = HTMLTree.parse(html[: limits.html_chars]).body
    return body is not None and body.query_selector(ANY_MARK) is not None


def text_of(html: str, limits: Limits) -> MarkedText:
    """Convert a page to lines.

    Args:
        html: The page.
        limits: The limits of the conversion.

    Returns:
        The lines and the marked regions.
    """
    tree = HTMLTree.parse(_prepared(html[: limits.html_chars]))
    if tree.body is None:
        return MarkedText(())
    _mark(tree)
    marked = read_signs(_plain(tree, HIDDEN), CLIENT_MARKS)
    if not any(line.strip() for line in marked.lines):
        # All text is hidden, so a style sheet must make some of them visible. Use the hidden text.
        marked = read_signs(_plain(tree, []), CLIENT_MARKS)
    return MarkedText(tuple(_line(line) for line in marked.lines), marked.regions)


def _prepared(html: str) -> str:
    html = FOREIGN_SIGN.sub("", html)
    if "<td" in html or "<TD" in html or "<th" in html:
        html = CELL_PARAGRAPH_END.sub(r"\1", CELL_PARAGRAPH.sub(r"\1", html))
    return html


def _line(line: str) -> str:
    if "\t" in line:
        line = CELL_GAP.sub("\t", line).lstrip("\t")
    return WORD_BULLET.sub(r"\1• ", line) if "·" in line[:20] else line


def _mark(tree: HTMLTree) -> None:
    """Insert the sign characters of each mark into its elements. Nodes are never removed."""
    # The type hints of the parser allow None for a node. The nodes created or selected here are never None.
    body: Any = tree.body
    if body.query_selector(ANY_MARK) is None:
        return
    remaining = MAX_MARKED
    for number, mark in enumerate(CLIENT_MARKS):
        # Use a slice: iterating over the collection counts from its beginning at every step.
        for element in body.query_selector_all(mark.selector)[:remaining]:
            remaining -= 1
            sign: Any = tree.create_text_node(opening(number))
            if element.first_child is None:
                element.append_child(sign)
            else:
                element.insert_before(sign, element.first_child)
            element.append_child(tree.create_text_node(closing()))


def _plain(tree: HTMLTree, hidden: list[str]) -> str:
    text: str = extract_plain_text(
        tree, preserve_formatting=True, list_bullets=True, alt_texts=True, links=False, skip_elements=hidden
    )
    return text
