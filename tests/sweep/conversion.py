"""Sweep the conversion of emails that contain repeated text in one place. The conversion must take at most linear time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from conversion.limits import DEFAULT_LIMITS
from conversion.transform import EmailLocation, convert
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from tests.sweep.growth import Growth, growth, growth_at_last
from tests.sweep.pumps import CHARACTERS, PIECES, Pump
from tests.sweep.sweep import ENOUGH, Failure

LONGEST = DEFAULT_LIMITS.text_chars * 9 // 10
"""Maximum number of characters of a text. The number is below the limit of the conversion, because a text above the limit is
cut, and other rules apply to a cut text. The sweep could take the resulting jump of the time for growth."""
SLOWEST = 8.0
"""Maximum CPU time in seconds for an email of `LONGEST` characters. If the time exceeds this maximum, the sweep fails
even if the time grows linearly."""
_CHANGE = Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"))
_DETAILS = ItemDetails(received=datetime(2026, 3, 2, tzinfo=UTC), size=10)
_WHERE = EmailLocation("desk@bank.example", ("Inbox",))
_HEAD = (
    "From: Ann Field <a@b.example>\r\nTo: c@d.example\r\nMessage-ID: <1@b>\r\nDate: Sun, 1 Mar 2026 12:00:00 +0000\r\n"
    "Subject: Re: s\r\n"
)
_LINE = 900
"""Number of characters of a long line. It is below `Limits.line_chars`, because the cleaning rules ignore longer lines."""

Case = tuple[str, Callable[[int], str], int]
"""Description of the email, function that returns the email for a number of repeats, and number of characters of one repeat."""


def sweep_place(name: str) -> list[Failure]:
    """Return the failures of one of `PLACES`."""
    failures: list[Failure] = []
    for given, text, unit in PLACES[name]():
        longest = _longest(name, text, unit)
        result = growth(_convert, _encoded(text), unit, longest // 2)  # `growth` also measures twice this length
        if result.fails or _expected(result) > SLOWEST:
            result = growth_at_last(_convert, _encoded(text), unit, longest)
        if result.fails or result.seconds > SLOWEST / 2:
            failures.append(Failure(f"conversion: {name}", given, result))
        if len(failures) >= ENOUGH:
            break
    return failures


def _longest(name: str, text: Callable[[int], str], unit: int) -> int:
    """Return the largest number of characters below the limit of this place.

    The limit of a header counts bytes. A longer header is cut, possibly within a character, and then decoded with another
    encoding. The sweep could take the resulting jump of the time for growth.
    """
    if not name.startswith("header"):
        return LONGEST
    of_one = len(_encoded(text)(1001)) - len(_encoded(text)(1))
    return LONGEST * 1000 * unit // max(of_one, 1000 * unit)


def _expected(result: Growth) -> float:
    """Return the CPU time in seconds for `LONGEST` characters, extrapolated linearly."""
    return result.seconds * LONGEST / max(1, result.chars)


def _convert(mime: bytes) -> None:
    convert(Email(_CHANGE, mime, _DETAILS), _WHERE)


def _encoded(text: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda repeats: text(repeats).encode("utf-8", "surrogatepass")


# ---- repeated text in one place ------------------------------------------------------------------------------------------


def _everywhere(around: Callable[[str], str]) -> Iterator[Case]:
    """Yield a case for each pump. `around` returns the email for the text of the pump."""
    for piece in (*CHARACTERS, *PIECES):
        pump = Pump("x", piece, "x")
        yield str(pump), partial(_put, around, pump), len(piece)


def _put(around: Callable[[str], str], pump: Pump, repeats: int) -> str:
    return around(pump.text(repeats))


def _in_lines(around: Callable[[str], str]) -> Iterator[Case]:
    """Yield cases with many lines, each short enough for the cleaning rules. `around` returns the email for the lines."""
    for piece in (*CHARACTERS, *PIECES):
        line = Pump("x", piece, "x").text(_LINE // len(piece)) + "\n"
        yield f"lines of {piece!r}", partial(_put, around, Pump("", line, "")), len(line)
        short = piece * 3 + "\n"
        yield f"short lines of {piece!r}", partial(_put, around, Pump("", short, "")), len(short)


def _header(name: str, text: str) -> str:
    """Return an email in which this unfolded header replaces the usual header of the same name."""
    usual = "".join(line for line in _HEAD.splitlines(keepends=True) if not line.startswith(f"{name}:"))
    return f"{name}: {text.translate(_ONE_LINE)}\r\n{usual}\r\nHello"


_ONE_LINE = dict.fromkeys(map(ord, "\r\n"), " ")


def _plain(text: str) -> str:
    return (
        f"{_HEAD}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello\n{text}\nAnn"
    )


def _flowed(text: str) -> str:
    return f"{_HEAD}Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\nHello\n{text}\nAnn"


def _quoted_printable(text: str) -> str:
    return f"{_HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello\n{text}\nAnn"


def _base64(text: str) -> str:
    return f"{_HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}"


def _page(text: str) -> str:
    return f"{_HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Hello</p>{text}"


def _preformatted(text: str) -> str:
    return _page(f"<pre>{text}")


def _attribute(text: str) -> str:
    return _page(f'<p style="{text}">x</p>')


def _part_header(name: str, before: str, text: str) -> str:
    return f"{_PARTS}--b\r\n{name}: {before}{text.translate(_ONE_LINE)}\r\n\r\nx\r\n--b--\r\n"


# ---- repeated structures ----------------------------------------------------------------------------

_PARTS = f"{_HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n"
_DEEP = "".join(f"Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n" for number in range(90))


def _structures() -> Iterator[Case]:
    """Yield cases with a structure that is repeated many times, such as headers, parts, quotes or signatures."""
    repeated = {
        "headers": Pump("", "X-Ann: b\r\n", _HEAD + "\r\nx"),
        "headers of one letter": Pump("", "a:\r\n", _HEAD + "\r\nx"),
        "To headers": Pump("", "To: a@b.example\r\n", _HEAD + "\r\nx"),
        "Subject headers": Pump("", "Subject: =?utf-8?q?=20?=\r\n", _HEAD + "\r\nx"),
        "Received headers": Pump("", "Received: from a by b; x\r\n", _HEAD + "\r\nx"),
        "Content-Type headers": Pump(_HEAD, "Content-Type: text/plain\r\n", "\r\nx"),
        "lines of one header": Pump("X-Ann: b\r\n", " c\r\n", _HEAD + "\r\nx"),
        "lines of one subject": Pump("Subject: b\r\n", " c\r\n", _HEAD + "\r\nx"),
        "parts": Pump(_PARTS, "--b\r\n\r\nx\r\n", "--b--\r\n"),
        "parts without text": Pump(_PARTS, "--b\r\n", ""),
        "parts with names": Pump(_PARTS, "--b\r\nContent-Type: a/b; name=c\r\nContent-ID: <d>\r\n\r\nx\r\n", ""),
        "parts of HTML": Pump(_PARTS, "--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n", ""),
        "alternatives": Pump(_PARTS.replace("mixed", "alternative"), "--b\r\n\r\nx\r\n", ""),
        "attached emails": Pump(_PARTS, "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\nx\r\n", ""),
        "a report": Pump(f"{_HEAD}Content-Type: message/delivery-status\r\n\r\n", "a: b\r\n\r\n", ""),
        "emails within emails": Pump(_HEAD, "Content-Type: message/rfc822\r\n\r\n", "x"),
        "parts within parts": Pump(_HEAD, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", "x"),
        "containers side by side": Pump(
            _PARTS, "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n", ""
        ),
        "lines in deep parts": Pump(_HEAD + _DEEP + "\r\n", "x\r\n", ""),
        "lines of dashes in deep parts": Pump(_HEAD + _DEEP + "\r\n", "--\r\n", ""),
        "ends in deep parts": Pump(_HEAD + _DEEP + "\r\n", "--b\r\n", ""),
        "uuencoded lines": Pump(
            f"{_HEAD}Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n", "#86)C\r\n", ""
        ),
        "attributions above quotes": Pump(f"{_HEAD}\r\n", "On 1 May 2026 at 10:00, A <a@b.example> wrote:\n> q\n", ""),
        "quotes and answers": Pump(f"{_HEAD}\r\n", "> q\na\n", ""),
        "quotes, blank lines and answers": Pump(f"{_HEAD}\r\n", "> q\n\n\na\n\n", ""),
        "blocks of headers": Pump(
            f"{_HEAD}\r\n", "From: a@b.example\nSent: 1 May 2026\nTo: c\nSubject: d\n\ntext\n", ""
        ),
        "original messages": Pump(f"{_HEAD}\r\n", "-----Original Message-----\ntext\n", ""),
        "rules and text": Pump(f"{_HEAD}\r\n", "__________\ntext\n\n", ""),
        "closings": Pump(f"{_HEAD}\r\n", "Kind regards,\nAnn\n\n", ""),
        "signatures": Pump(f"{_HEAD}\r\n", "-- \nAnn\n", ""),
        "telephone numbers": Pump(f"{_HEAD}\r\n", "Ann Field\n+44 20 1234 5678\n", ""),
        "small print": Pump(
            f"{_HEAD}\r\n", "This email is confidential, privileged, and for the intended recipient only.\n\n", ""
        ),
        "small print without end": Pump(f"{_HEAD}\r\n", "This email is confidential and privileged. ", ""),
        "warnings": Pump(f"{_HEAD}\r\n", "CAUTION: this email originated from outside the organisation.\n\n", ""),
    }
    for name, pump in repeated.items():
        yield name, pump.text, len(pump.piece)
    yield "quotes one level deeper in each line", _deeper_quotes, 1


def _deeper_quotes(chars: int) -> str:
    return f"{_HEAD}\r\n" + "".join(">" * depth + "x\n" for depth in range(int((2 * chars) ** 0.5)))


def _addresses() -> Iterator[Case]:
    """Yield cases with long lists of recipients, and with To headers that are not quite valid."""
    pieces = (
        "a@b.example, ", "Ann Field <a@b.example>, ", '"Field, Ann" <a@b.example>, ', "team: ",
        "team: a@b, c@d;, ", "(a) ", "((", "\"", "\"a\" ", "\\\"", "\"\\\"", "[", "a@[", "<<", "<a@b", "a@b ",
        "a.b", "@a,", "<@a,@b:", "a@b;c@d;", "=?utf-8?q?Ann?= <a@b.example>, ", "=?utf-8?b?QW5u?= ",
        "=?utf-8?q?", "?=", "=?a?b?c", ",", ", ,", ";", ":", ">", "a>", "(\\", "(a@b) <c@d>, ",
    )  # fmt: skip
    for piece in pieces:
        yield f"{piece!r} * n", partial(_put, partial(_header, "To"), Pump("", piece, "x")), len(piece)


def _parameters() -> Iterator[Case]:
    """Yield cases with many header parameters. For each requested parameter, the email library parses all parameters."""
    pieces = (
        "; a=b",
        ";",
        "; a",
        "; a*=b",
        '; name="a',
        "; name=a",
        "; name*0=a",
        "; name*0*=a",
        "; charset=a",
        "\\",
        '"',
        "(",
        "=?utf-8?q?a?= ",
    )
    for name, before in (
        ("Content-Type", "text/plain"),
        ("Content-Type", "application/pdf"),
        ("Content-Type", "multipart/mixed; boundary=b"),
        ("Content-Disposition", "attachment; filename=a"),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-ID", "<a>"),
    ):
        for piece in pieces:
            pump = Pump("", piece, "")
            yield (
                f"{name}: {before}{piece!r} * n",
                partial(_put, partial(_header, name), Pump(before, piece, "")),
                len(piece),
            )
            yield f"part {name}: {piece!r} * n", partial(_put, partial(_part_header, name, before), pump), len(piece)
            many = f"--b\r\n{name}: {before}{piece * 200}\r\n\r\nx\r\n"
            yield f"parts with {name}: {piece!r} * 200", Pump(_PARTS, many, "").text, len(many)


# ---- HTML --------------------------------------------------------------------------------------------------------

_MARKED = '<blockquote class="gmail_quote">q</blockquote>'
_ELEMENTS = (
    "a", "abbr", "b", "bdi", "blockquote", "body", "br", "button", "caption", "center", "code", "col", "dd",
    "details", "dir", "div", "dl", "dt", "em", "fieldset", "font", "footer", "form", "frameset", "h1", "head",
    "hr", "html", "i", "iframe", "img", "input", "label", "li", "link", "listing", "marquee", "math", "menu",
    "meta", "nobr", "noscript", "object", "ol", "optgroup", "option", "p", "plaintext", "pre", "rp", "rt",
    "ruby", "s", "script", "select", "small", "span", "style", "sub", "summary", "svg", "table", "tbody", "td",
    "template", "textarea", "tfoot", "th", "thead", "title", "tr", "tt", "u", "ul", "video", "xmp", "unknown",
)  # fmt: skip


def _elements() -> Iterator[Case]:
    """Yield cases with many copies of an HTML element: open, closed, incomplete, with different ids, or in other elements.

    Some cases have one element with many attributes.
    """
    for name in _ELEMENTS:
        for piece in (f"<{name}>x", f"<{name}>x</{name}>", f"<p><{name} class=a>x", f"<{name}"):
            yield f"{piece!r} * n", partial(_put, _page, Pump("", piece, "")), len(piece)
        yield f"<{name}> with different ids", partial(_different, name), len(name) + 12
        if name in ("p", "body", "html", "input"):
            yield f"<{name}> with many attributes", partial(_attributes, name), 10
        for around in ("<select>", "<table>", "<svg>"):
            piece = f"<{name}>x"
            yield f"{around} {piece!r} * n", partial(_put, _page, Pump(around, piece, "")), len(piece)


def _different(name: str, repeats: int) -> str:
    return _page("".join(f"<p><{name} id={number:06}>x" for number in range(repeats)))


def _attributes(name: str, repeats: int) -> str:
    return _page(f"<{name} " + "".join(f"a{number:06}=1 " for number in range(repeats)) + ">x")


def _trees() -> Iterator[Case]:
    """Yield HTML for which many parsers take long, and HTML that our cleaning rules search for."""
    formatting = "".join(f"<b id={number}>" for number in range(1_000))
    deep = "<div>" * 1_900
    repeated = {
        "paragraphs below open formatting": Pump(f"<p>{formatting}", "<p>x", ""),
        "cells below open formatting": Pump(f"<p>{formatting}<table>", "<tr><td>x", ""),
        "text in a table below open formatting": Pump(f"<p>{formatting}<table>", "<tr>x", ""),
        "elements deep down": Pump(deep, "<p>x", ""),
        "ends deep down": Pump(deep, "</p>", ""),
        "ends of nothing deep down": Pump(deep, "</b>", ""),
        "formatting deep down": Pump(deep, "<b>x</b>", ""),
        "misnested formatting": Pump("", "<b><div>x</b>y</div>", ""),
        "links in links": Pump("", "<a href=x><div>x", ""),
        "links deep down": Pump(f"<a href=x>{deep}", "<a href=x>x", ""),
        "text in a table": Pump("<table>", "x<tr>", ""),
        "tables in tables": Pump("", "<table><tr><td>x", ""),
        "rows": Pump("<table>", "<tr><td>a<td>b", ""),
        "hidden elements": Pump("", '<p style="display:none">x</p>', ""),
        "hidden in hidden": Pump("", "<div hidden>x", ""),
        "marked quotes": Pump("", _MARKED, ""),
        "marked quotes in each other": Pump("", '<blockquote class="gmail_quote">q', ""),
        "empty lines below marked quotes": Pump(f"<pre>{_MARKED * 500}", "\n", ""),
        "empty lines below empty marks": Pump(
            f"<pre>x{'<blockquote class=gmail_quote>a</blockquote>' * 400}", " \n", ""
        ),
        "marked quotes and answers": Pump("", f"{_MARKED}<p>answer</p>", ""),
        "marked quotes and empty lines": Pump("<pre>", f"{_MARKED}\n\n\n\n", ""),
        "wrappers": Pump("", f'<div class="gmail_quote">a{_MARKED}</div>', ""),
        "wrappers without quotes": Pump("", '<div class="gmail_quote">a</div>', ""),
        "marked headers": Pump("", '<div id="divRplyFwdMsg">From: a</div>', ""),
        "marked signatures": Pump("", '<div class="gmail_signature">Ann</div>', ""),
        "lists": Pump("", "<ul><li>x</ul>", ""),
        "cells of Word": Pump("<table>", "<tr><td><p class=a>x<o:p>&nbsp;</o:p></p></td>", ""),
        "cells that are almost those of Word": Pump("<table>", "<td><p", ""),
        "ends of cells that are almost those of Word": Pump("<table><td>", "<o:p>&nbsp;", ""),
        "entities": Pump("", "&amp", ""),
        "entities of noncharacters": Pump("", "&#xfdd0;", ""),
        "comments": Pump("", "<!-- a -->", ""),
        "bullets": Pump("", "<p>· x", ""),
        "tabs": Pump("<pre>", "\t", "x"),
    }
    for name, pump in repeated.items():
        yield name, partial(_put, _page, pump), len(pump.piece)


_HEADERS = (
    "Subject", "To", "Message-ID", "Date", "References", "In-Reply-To", "Received", "Content-Type",
    "Content-Disposition", "Content-Transfer-Encoding", "X-Ann",
)  # fmt: skip
PLACES: dict[str, Callable[[], Iterator[Case]]] = {
    **{f"header {name}": partial(_everywhere, partial(_header, name)) for name in _HEADERS},
    "addresses": _addresses,
    "parameters": _parameters,
    "structures": _structures,
    "plain text": partial(_everywhere, _plain),
    "lines of plain text": partial(_in_lines, _plain),
    "flowed text": partial(_in_lines, _flowed),
    "quoted-printable": partial(_everywhere, _quoted_printable),
    "base64": partial(_everywhere, _base64),
    "a page": partial(_everywhere, _page),
    "preformatted text": partial(_in_lines, _preformatted),
    "an attribute": partial(_everywhere, _attribute),
    "elements": _elements,
    "trees": _trees,
}
"""The places by the names that the sweep prints."""
