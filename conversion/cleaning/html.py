"""HTML as lines a person would call readable, and what mail programs marked in it (`client_marks`).

What is hidden is gone. The parser (resiliparse) turns the tree to text itself: a walk over the nodes from Python, or
taking nodes out of the tree, costs a time that grows with the square of the page.
"""

from __future__ import annotations

import re
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from conversion.cleaning.client_marks import CLIENT_MARKS
from conversion.cleaning.marked_text import MarkedText, closing, opening, read_signs
from conversion.limits import Limits

MOST_MARKED = 500
"""Elements of one page that are marked. History deeper than this lies in history that is marked."""

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
# A paragraph that fills a cell of a table, as Word writes it, would end the row.
CELL_PARAGRAPH = re.compile(r"(<t[dh]\b[^<>]{0,2000}>\s{0,200})<(?:p\b[^<>]{0,2000}|div)>", re.IGNORECASE)
CELL_PARAGRAPH_END = re.compile(r"(?:<o:p>(?:&nbsp;|\s){0,20}</o:p>)?</(?:p|div)>(\s{0,200}</t[dh]>)", re.IGNORECASE)
WORD_BULLET = re.compile(r"^(\s*)·\s+")
# Entities for the characters that stand for marks (see `marked_text`): a page must not bring its own.
FOREIGN_SIGN = re.compile(
    r"[\ufdd0-\ufdef]|&#(?:x0*fd[de][0-9a-f]|0*(?:6497[6-9]|649[89]\d|6500[0-7]));?", re.IGNORECASE
)


def has_marks(html: str, limits: Limits) -> bool:
    """Whether a mail program left marks in the page that plain text knows nothing of."""
    body = HTMLTree.parse(html[: limits.html_chars]).body
    return body is not None and body.query_selector(ANY_MARK) is not None


def text_of(html: str, limits: Limits) -> MarkedText:
    """The lines of a page, and the marks of mail programs in them."""
    tree = HTMLTree.parse(_prepared(html[: limits.html_chars]))
    if tree.body is None:
        return MarkedText(())
    _mark(tree)
    marked = read_signs(_plain(tree, HIDDEN), CLIENT_MARKS)
    if not any(line.strip() for line in marked.lines):
        # A page that only its style sheet would show: better than nothing.
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
    """Put the signs of each mark into its elements. No node is ever taken out."""
    # The parser's types allow for nodes that are not there; those made or found here are.
    body: Any = tree.body
    if body.query_selector(ANY_MARK) is None:
        return
    left = MOST_MARKED
    for number, mark in enumerate(CLIENT_MARKS):
        # A slice, and not a loop over the collection itself, which counts from its beginning at every step.
        for element in body.query_selector_all(mark.selector)[:left]:
            left -= 1
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
