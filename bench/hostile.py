"""Benchmark: CPU time and memory that the conversion of malicious emails takes.

Each email is converted in a process of its own.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection

from conversion.transform import Converted, EmailLocation, convert
from demo.table import table
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId

MB = 1024 * 1024
HEAD = b"From: a@b.example\r\nSubject: s\r\nMessage-ID: <1@b>\r\nDate: Sun, 1 Mar 2026 12:00:00 +0000\r\n"
PATIENCE = 120
"""Maximum number of seconds for one email."""
REPEATED = [
    *("-", "_", "=", ">", "> ", " ", "\n", "\n\n-- \n", "\t", ":", "\n:", ".", "(", "<", "&amp", "&#", "@", "a@", "1/", "12:"),
    *("*", "|", "On ", "On 1 May 2026 ", "wrote:", "\nwrote:", "From: a\n", "\nFrom: a\nDate: 1\n", "http://", "<http://"),
    *("Regards,\n", "- A\n\n", "-----Original Message-----\n", "Sent from my iPhone\n\n"),
    *("CAUTION: external email click\n", "confidential addressee delete the\n\n", "\u200f", "书", "が", "ا", "\ufdd0"),
]  # fmt: skip
TAGS = [
    *("<div>", "<b>", "<blockquote>", "<table><tr><td>", "<td>", "<td ", "<td><p>", "</p></td>", "<td> ", "<o:p> ", "<p>"),
    *("<br>", "&nbsp;", "<", "<div style='", "<div class='gmail_quote'>", "<blockquote type=cite>"),
    *("<div id=divRplyFwdMsg>", "<!--", "<script>", "&lt", "&#xfdd0;"),
]  # fmt: skip


def text(content: bytes, kind: bytes = b"plain") -> bytes:
    return HEAD + b"Content-Type: text/" + kind + b"; charset=utf-8\r\n\r\n" + content


def filled(piece: str, size: int) -> bytes:
    raw = piece.encode()
    return raw * (size // len(raw))


def nested(levels: int) -> bytes:
    heads = (
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(levels)
    )
    return HEAD + b"".join(heads) + b"Content-Type: text/plain\r\n\r\nText"


def emails() -> dict[str, Callable[[], bytes]]:
    """Return the functions that generate the emails, by the name of the email.

    The process that converts an email also generates it.
    """
    words = b"All the words of a long letter, and some more of them.\r\n"
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    cases: dict[str, Callable[[], bytes]] = {
        "25 MB of text": lambda: text(words * (25 * MB // len(words))),
        "25 MB of HTML": lambda: text(filled("<p>All the <b>words</b></p>\r\n", 25 * MB), b"html"),
        "25 MB attached": lambda: (
            HEAD
            + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + filled("QUJD" * 19 + "\r\n", 25 * MB)
        ),
        "10 MB in one line": lambda: text(b"word " * (2 * MB)),
        "10 MB in one line of HTML": lambda: text(b"word " * (2 * MB), b"html"),
        "5,000 parts within parts": lambda: nested(5_000),
        "100,000 parts": lambda: (
            HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 100_000 + b"--b--"
        ),
        "50,000 nested <div>": lambda: text(b"<div>" * 50_000 + b"deep", b"html"),
        "1 MB of ( in From": lambda: b"From: " + b"(" * MB + b"\r\n" + HEAD,
        "1 MB of encoded words": lambda: b"Subject: " + b"=?utf-8?b?QUJD?= " * (MB // 17) + b"\r\n" + HEAD,
        "10,000 recipients": lambda: (
            b"To: " + b", ".join(b"Ann %d <a%d@b.example>" % (n, n) for n in range(10_000)) + b"\r\n" + HEAD
        ),
        "1 MB of Content-Type": lambda: HEAD + b"Content-Type: text/plain; " + b"a=b; " * (MB // 5) + b"\r\n\r\nText",
    }
    for piece in REPEATED:
        cases[f"1 MB of {piece!r}"] = lambda piece=piece: text(filled(piece, MB))  # type: ignore[misc]
        cases[f"1 MB of lines of 900 {piece!r}"] = lambda piece=piece: text(filled((piece * 900)[:900] + "\n", MB))  # type: ignore[misc]
    for piece in TAGS:
        cases[f"1 MB of {piece!r} in HTML"] = lambda piece=piece: text(filled(piece, MB), b"html")  # type: ignore[misc]
    return cases


def run(show_all: bool) -> int:
    rows = []
    for name in emails():
        seconds, memory, outcome = _measured(name)
        rows.append((seconds, [name, f"{seconds:.2f}", f"{memory:.0f}", outcome]))
    shown = rows if show_all else [*rows[:12], *sorted(rows[12:], key=lambda row: -row[0])[:8]]
    print(table(["email", "seconds", "MB more", "result"], [row for _, row in shown]))
    slowest = max(seconds for seconds, _ in rows)
    print(
        f"\n{len(rows)} emails; the slowest takes {slowest:.1f} s. MB more: the increase of the peak memory of the process."
    )
    return 0 if slowest < PATIENCE else 1


def _measured(name: str) -> tuple[float, float, str]:
    context = get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_convert, args=(name, there))
    process.start()
    there.close()
    try:
        result: tuple[float, float, str] = here.recv() if here.poll(PATIENCE) else (PATIENCE, 0, "time limit exceeded")
    except EOFError:
        result = (PATIENCE, 0.0, "process ended")
    process.kill()
    process.join()
    return result


def _convert(name: str, answer: Connection) -> None:
    mime = emails()[name]()
    email = Email(Change(ChangeKind.CREATED, FolderId("f"), ItemId("i")), mime, ItemDetails(received=datetime.now(UTC)))
    before = _peak()
    begun = time.process_time()
    outcome = convert(email, EmailLocation("desk@bank.example", ("Inbox",)))
    seconds = time.process_time() - begun
    answer.send((seconds, _peak() - before, "a comment" if isinstance(outcome, Converted) else outcome.kind.value))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
