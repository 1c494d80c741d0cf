"""HTML pages that show the received data: the sources, the comments of a source, a comment with its history.

The pages only read the store. All data on the pages is untrusted: see `markup`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

from simulators.http import Request, Response
from simulators.reinfer.comments import Outcome, StoredComment, Write
from simulators.reinfer.markup import Child, document, element
from simulators.reinfer.store import NoSuchSource, Source, Store

STYLESHEET = "/static/arrived.css"
_REFRESH_SECONDS = 5
_PAGE = 50
_PREVIEW = 180
_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_OUTCOMES = {
    Outcome.NEW: ("Created", "good"),
    Outcome.UNCHANGED: ("Unchanged", "quiet"),
    Outcome.PROPERTIES_ONLY: ("Properties updated", "info"),
    Outcome.TEXT_CHANGED: ("Text changed", "bad"),
}


def answer_page(store: Store, request: Request) -> Response:
    """The page or stylesheet of a path, or the page *Not found*."""
    parts = [unquote(part, errors="replace") for part in request.path.strip("/").split("/")]
    try:
        match parts:
            case [""]:
                return _page("Sources", *_overview(store), refresh=True)
            case ["static", "arrived.css"]:
                return _stylesheet()
            case ["sources", project, name]:
                page = _page_number(request)
                return _page(name, *_source_page(store, store.source(project, name), page), refresh=page == 1)
            case ["sources", project, name, comment_id]:
                source = store.source(project, name)
                return _page("Comment", *_comment_page(source, source.comments[comment_id]))
    except (NoSuchSource, KeyError):
        pass
    return _page(
        "Not found",
        _heading("Not found"),
        _empty("This page does not exist, or its source or comment was deleted."),
        status=404,
    )


def _page(title: str, *content: Child, status: int = 200, refresh: bool = False) -> Response:
    bar = element(
        "header",
        element("a", element("span", "Re:infer", css="brand"), " simulator", href="/"),
        element("span", "received data, kept in memory only", css="quiet"),
        css="bar",
    )
    refresh_seconds = _REFRESH_SECONDS if refresh else None
    body = document(f"{title} · Re:infer simulator", STYLESHEET, bar, element("main", *content),
                    refresh_seconds=refresh_seconds)  # fmt: skip
    return Response(status=status, body=body, content_type="text/html; charset=utf-8", headers=_HEADERS)


def _stylesheet() -> Response:
    body = (Path(__file__).parent / "static" / "arrived.css").read_bytes()
    return Response(body=body, content_type="text/css; charset=utf-8", headers=_HEADERS[1:])


def _overview(store: Store) -> list[Child]:
    sources = [source for _, source in sorted(store.sources.items())]
    if not sources:
        return [_heading("Sources"), _empty("No source yet. A source appears here when a client creates it.")]
    rows = [_source_row(source) for source in sources]
    columns = ("Source", "Comments", "Unchanged", "Properties updated", "Text changed", "AI units")
    return [
        _heading("Sources"),
        _figures(
            ("Sources", len(sources)),
            ("Comments", sum(len(source.comments) for source in sources)),
            ("AI units", store.ai_units),
        ),
        _table(columns, rows, css="numbers"),
    ]


def _source_row(source: Source) -> Element:
    name = element(
        "a", element("span", f"{source.project} / ", css="quiet"), source.name, href=_link(source.project, source.name)
    )
    figures = (
        len(source.comments),
        source.outcomes[Outcome.UNCHANGED],
        source.outcomes[Outcome.PROPERTIES_ONLY],
        source.text_changes,
        source.ai_units,
    )
    return element("tr", element("th", name, scope="row"), *(element("td", f"{figure:,}") for figure in figures))


def _source_page(store: Store, source: Source, page: int) -> list[Child]:
    comments = store.arrivals(source)
    shown = comments[(page - 1) * _PAGE : page * _PAGE]
    cards = [_card(source, comment) for comment in shown]
    return [
        _trail(("Sources", "/")),
        _heading(source.name, source.project),
        _figures(
            ("Comments", len(comments)),
            ("AI units", source.ai_units),
            ("Text changed", source.text_changes),
            ("Messages changed", source.messages_changed),
        ),
        element("ol", *cards, css="cards") if cards else _empty("No comment yet."),
        _pager(source, page, len(comments)),
    ]


def _card(source: Source, comment: StoredComment) -> Element:
    subject, sender, body = _first_message(comment)
    last = comment.history[-1]
    preview = " ".join(body.split())
    return element(
        "li",
        element(
            "div",
            element("a", subject or "No subject", href=_link(source.project, source.name, comment.id), css="subject"),
            _badge(last.outcome),
            css="line",
        ),
        element("div", sender or "No sender", " · ", _when(comment.content["timestamp"]), css="quiet"),
        element("p", preview[:_PREVIEW] + ("…" if len(preview) > _PREVIEW else ""), css="preview"),
        _chips(comment),
    )


def _comment_page(source: Source, comment: StoredComment) -> list[Child]:
    subject, _, _ = _first_message(comment)
    return [
        _trail(("Sources", "/"), (source.name, _link(source.project, source.name))),
        _heading(subject or "No subject"),
        *(_message(message) for message in comment.content["messages"]),
        _section("Properties", _definitions(sorted((key, str(value)) for key, value in comment.properties.items()))),
        _section("Attachments", _attachments(comment)) if comment.content["attachments"] else None,
        _section("Facts", _definitions(_facts(comment))),
        _section("Writes", _table(("When", "Outcome", "Messages", "Billed"), [_write(w) for w in comment.history])),
    ]


def _message(message: dict[str, object]) -> Element:
    rows = [
        (label, ", ".join(value) if isinstance(value, list) else str(value))
        for label, key in (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Bcc", "bcc"), ("Sent", "sent_at"))
        if (value := message.get(key))
    ]
    signature = _text(message, "signature")
    return element(
        "article",
        _definitions(rows),
        element("pre", _text(message, "body") or "No text", css="text"),
        element("pre", signature, css="text signature") if signature else None,
        css="panel",
    )


def _attachments(comment: StoredComment) -> Element:
    rows = [
        element(
            "tr",
            element("th", attachment["name"] or "No name", scope="row"),
            element("td", attachment["content_type"]),
            element("td", f"{attachment['size']:,} bytes"),
            element("td", "inline" if attachment["inline"] else "attached"),
        )
        for attachment in comment.content["attachments"]
    ]
    return _table(("Name", "Type", "Size", ""), rows)


def _facts(comment: StoredComment) -> list[tuple[str, str]]:
    return [
        ("Comment id", comment.id),
        ("Thread id", comment.content.get("thread_id", "")),
        ("Timestamp", comment.content["timestamp"]),
        ("Created", _moment(comment.created_at)),
        ("Last modified", _moment(comment.last_modified)),
        ("Annotations lost", str(comment.annotations_lost)),
    ]


def _write(write: Write) -> Element:
    return element(
        "tr",
        element("td", _moment(write.at)),
        element("td", _badge(write.outcome)),
        element("td", "changed" if write.messages_changed else "unchanged"),
        element("td", "1 AI unit" if write.billed else "free"),
    )


def _first_message(comment: StoredComment) -> tuple[str, str, str]:
    for message in comment.content["messages"]:
        return _text(message, "subject"), message.get("from", ""), _text(message, "body")
    return "", "", ""


def _text(message: dict[str, object], part: str) -> str:
    content = message.get(part)
    return str(content["text"]) if isinstance(content, dict) else ""


def _heading(title: str, above: str = "") -> Element:
    return element("hgroup", element("p", above, css="quiet") if above else None, element("h1", title))


def _trail(*steps: tuple[str, str]) -> Element:
    return element("nav", *(element("a", label, href=href) for label, href in steps), css="trail")


def _figures(*figures: tuple[str, int]) -> Element:
    return element(
        "dl",
        *(element("div", element("dt", label), element("dd", f"{value:,}")) for label, value in figures),
        css="figures",
    )


def _section(title: str, content: Child) -> Element:
    return element("section", element("h2", title), content)


def _definitions(rows: Sequence[tuple[str, str]]) -> Element:
    return element(
        "dl", *(element("div", element("dt", label), element("dd", value)) for label, value in rows), css="facts"
    )


def _table(columns: Sequence[str], rows: Sequence[Element], css: str = "") -> Element:
    head = element("thead", element("tr", *(element("th", column, scope="col") for column in columns)))
    return element("div", element("table", head, element("tbody", *rows), css=css), css="panel scroll")


def _chips(comment: StoredComment) -> Element:
    chips = [
        element("li", element("span", key.partition(":")[2], css="quiet"), " ", str(value))
        for key, value in comment.properties.items()
    ]
    return element("ul", *chips, css="chips")


def _badge(outcome: Outcome) -> Element:
    label, tone = _OUTCOMES[outcome]
    return element("span", label, css=f"badge {tone}")


def _empty(text: str) -> Element:
    return element("p", text, css="empty")


def _pager(source: Source, page: int, comments: int) -> Element | None:
    here = _link(source.project, source.name)
    if comments <= _PAGE:
        return None
    pages = -(-comments // _PAGE)
    return element(
        "nav",
        element("a", "Newer", href=f"{here}?page={page - 1}") if page > 1 else None,
        element("span", f"page {page:,} of {pages:,}", css="quiet"),
        element("a", "Older", href=f"{here}?page={page + 1}") if page < pages else None,
        css="pager",
    )


def _page_number(request: Request) -> int:
    value = request.query.get("page", ["1"])[0]
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 9 else 1


def _link(*parts: str) -> str:
    return "/sources/" + "/".join(quote(part, safe="") for part in parts)


def _when(timestamp: str) -> str:
    return _moment(datetime.fromisoformat(timestamp))


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%-d %b %Y, %H:%M:%S UTC") if moment else ""
