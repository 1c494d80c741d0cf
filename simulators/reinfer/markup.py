"""Builds HTML as a tree of elements, so that untrusted text cannot become markup.

The serializer escapes every text and every attribute.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

Child = Element | str | None

_NOT_FOR_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def element(name: str, *children: Child, css: str = "", **attributes: str) -> Element:
    """An element with these children; None is skipped.

    In attribute names, `_` at the end is removed, any other `_` becomes `-`.
    """
    made = Element(name, {key.rstrip("_").replace("_", "-"): _visible(value) for key, value in attributes.items()})
    if css:
        made.set("class", css)
    for child in children:
        if isinstance(child, str):
            _append_text(made, _visible(child))
        elif child is not None:
            made.append(child)
    return made


def document(title: str, stylesheet: str, *body: Child, refresh_seconds: int | None = None) -> bytes:
    """A whole page. With `refresh_seconds`, the browser reloads the page after this number of seconds."""
    head = element("head", element("meta", charset="utf-8"), element("title", title))
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    SubElement(head, "link", {"rel": "stylesheet", "href": stylesheet})
    if refresh_seconds:
        SubElement(head, "meta", {"http-equiv": "refresh", "content": str(refresh_seconds)})
    page = element("html", head, element("body", *body), lang="en")
    html: bytes = tostring(page, encoding="utf-8", method="html")
    return b"<!doctype html>\n" + html


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _visible(text: str) -> str:
    return _NOT_FOR_HTML.sub("\N{REPLACEMENT CHARACTER}", text)
