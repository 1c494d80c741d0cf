"""HTML to text: quoted history is cut in the tree, by the marks that mail clients leave; the rest becomes readable text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from sync.cleaning import words
from sync.limits import Limits

INVISIBLE = "script, style, head, title, template, object, noscript, [hidden]"
HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden)", re.IGNORECASE)
QUOTES = {
    "div.gmail_quote": "Gmail",
    "div.gmail_quote_container": "Gmail",
    "div.yahoo_quoted": "Yahoo",
    "div.protonmail_quote": "Proton",
    "blockquote.protonmail_quote": "Proton",
    "blockquote.tutanota_quote": "Tuta",
    "div.zmail_extra": "Zoho",
    "div.moz-cite-prefix + blockquote": "Thunderbird",
    "blockquote[type=cite]": "Apple Mail and others",
}
"""Containers of a quote, and whose they are. Cut where nothing is written after them."""
REST_IS_QUOTE = {
    "#divRplyFwdMsg": "Outlook on the web",
    "#appendonsend": "Outlook on the web",
    "#mail-editor-reference-message-container": "Outlook mobile",
    "#OLK_SRC_BODY_SECTION": "Outlook for Mac",
    "#reply-intro": "Roundcube",
}
"""What begins the quote; it goes on to the end."""
OUTLOOK_RULE = re.compile(r"border-top\s*:\s*solid\s*#(?:E1E1E1|B5C4DF)", re.IGNORECASE)
SIGNATURES = ("div.gmail_signature", "#Signature", "#ms-outlook-mobile-signature", ".moz-signature")
MOST_QUOTES = 20
"""Looked at in one page: each look may walk the page."""
MARKS = re.compile(
    r"gmail_quote|gmail_signature|divRplyFwdMsg|appendonsend|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra"
    r"|moz-cite-prefix|moz-signature|type=.?cite|OLK_SRC|reference-message-container|reply-intro|#E1E1E1|#B5C4DF|id=.?Signature",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HtmlText:
    """The text of a page, the signature that its client had marked, and what was cut by which rule."""

    text: str
    signature: str
    cuts: tuple[tuple[str, str], ...]


def has_marks(html: str) -> bool:
    """Whether a client left marks in the page that plain text knows nothing of."""
    return MARKS.search(html) is not None


def text_of(html: str, *, forwards: bool, limits: Limits) -> HtmlText:
    """The newest text of a page. `forwards`: nothing that Outlook puts at the end of a forwarded email is cut."""
    tree = HTMLTree.parse(html[: limits.html_chars])
    body = tree.body
    if body is None:
        return HtmlText("", "", ())
    _remove_invisible(body)
    whole = _plain(tree)
    cuts = _cut_quotes(tree, forwards=forwards)
    signature = _cut_signature(tree)
    text = _plain(tree) if cuts or signature else whole
    if not text.strip():
        return HtmlText(whole, "", ())
    return HtmlText(text, signature, cuts)


def _remove_invisible(body: Any) -> None:
    for node in list(body.query_selector_all(INVISIBLE)):
        node.decompose()
    for node in list(body.query_selector_all("[style]")):
        if HIDDEN_STYLE.search(node.getattr("style") or ""):
            node.decompose()


def _cut_quotes(tree: Any, *, forwards: bool) -> tuple[tuple[str, str], ...]:
    cuts: list[tuple[str, str]] = []
    for selector, client in QUOTES.items():
        # Selected anew after each removal: nodes found before it may be gone with it.
        for _ in range(MOST_QUOTES):
            node = _last_quote(tree, selector)
            if node is None:
                break
            prefix = node.prev_element
            cuts.append((f"quote of {client}", _plain(node)))
            if prefix is not None and "moz-cite-prefix" in (prefix.getattr("class") or ""):
                prefix.decompose()
            node.decompose()
    if not forwards:
        for selector, client in REST_IS_QUOTE.items():
            node = tree.body.query_selector(selector)
            if node is not None and not _forwards(node):
                cuts.append((f"quote of {client}", _cut_from(tree, node)))
        rule = next(
            (n for n in tree.body.query_selector_all("div[style]") if OUTLOOK_RULE.search(n.getattr("style") or "")),
            None,
        )
        if rule is not None and _is_header_block(rule):
            cuts.append(("quote of Outlook", _cut_from(tree, rule)))
    return tuple(cuts)


def _last_quote(tree: Any, selector: str) -> Any:
    """A quote of this kind after which nothing is written, and which is no forwarded email."""
    for node in list(tree.body.query_selector_all(selector))[:MOST_QUOTES]:
        if not _forwards(node) and not _text_after(tree, node):
            return node
    return None


def _forwards(node: Any) -> bool:
    before = node.prev_element.text if node.prev_element is not None else ""
    start = (before[-200:] + " " + node.text[:400]).casefold()
    return any(mark in start for mark in words.FORWARDED)


def _text_after(tree: Any, node: Any) -> bool:
    """Whether anything but a signature stands behind the node."""
    body = tree.body
    while node is not None and node != body:
        following = node.next
        while following is not None:
            if following.text.strip() and not _is_signature(following):
                return True
            following = following.next
        node = node.parent
    return False


def _is_signature(node: Any) -> bool:
    is_element = bool(node.tag) and not node.tag.startswith("#")
    return is_element and any(node.matches(selector) for selector in SIGNATURES)


def _is_header_block(node: Any) -> bool:
    text = node.text[:2000]
    return bool(sum(text.count(sign) for sign in (":", "：")) >= 3)


def _cut_from(tree: Any, node: Any) -> str:
    """Remove the node and all that follows it in the document; the text of it."""
    texts = [str(node.text)]
    at = node
    while at is not None and at != tree.body:
        while (following := at.next) is not None:
            texts.append(str(following.text))
            following.decompose()
        at = at.parent
    node.decompose()
    return "\n".join(texts)


def _cut_signature(tree: Any) -> str:
    texts = []
    for selector in SIGNATURES:
        for _ in range(MOST_QUOTES):
            node = tree.body.query_selector(selector)
            if node is None:
                break
            texts.append(_plain(node))
            node.decompose()
    return "\n".join(text for text in texts if text.strip())


def _plain(tree: Any) -> str:
    if not isinstance(tree, HTMLTree):
        return str(tree.text)
    return extract_plain_text(tree, preserve_formatting=True, list_bullets=True, alt_texts=True, links=False)
