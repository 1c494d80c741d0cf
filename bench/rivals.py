"""Other libraries' newest text of an email. Runs in an environment of its own (`rival_environments`), so it imports
nothing of ours: cases come in as lines of JSON, answers go out as lines of JSON.

    python rivals.py talon < cases
"""

from __future__ import annotations

import json
import signal
import sys
import time
import types
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

PATIENCE = 5
"""Seconds for one email; then the library has no answer."""

Newest = Callable[[str | None, str | None], str]


def mail_parser_reply() -> Newest:
    library = import_module("mailparser_reply")
    languages = list(import_module("mailparser_reply.constants").MAIL_LANGUAGES)
    parser = library.EmailReplyParser(languages=languages)
    return lambda plain, html: str(parser.read(text=plain or as_text(html or "")).latest_reply or "")


def talon() -> Newest:
    quotations = import_module("talon.quotations")
    # The package's own __init__ loads a classifier that does not import any more; its plain rules do.
    package = types.ModuleType("talon.signature")
    package.__path__ = [f"{path}/signature" for path in find_spec("talon").submodule_search_locations]  # type: ignore[union-attr]
    sys.modules["talon.signature"] = package
    signatures = import_module("talon.signature.bruteforce")

    def newest(plain: str | None, html: str | None) -> str:
        text = quotations.extract_from_plain(plain) if plain else as_text(quotations.extract_from_html(html))
        return str(signatures.extract_signature(text)[0] or text)

    return newest


def quotequail() -> Newest:
    library = import_module("quotequail")

    def newest(plain: str | None, html: str | None) -> str:
        found = library.unwrap(plain) if plain else library.unwrap_html(html)
        if not found or found["type"] == "forward":
            return plain or as_text(html or "")
        return str(found.get("text_top", "") if plain else as_text(found.get("html_top", "")))

    return newest


def unquotemail() -> Newest:
    library = import_module("unquotemail")

    def newest(plain: str | None, html: str | None) -> str:
        found = library.Unquote(html, plain)
        found.parse()
        return str(found.get_text() or "")

    return newest


def as_text(html: str) -> str:
    return str(import_module("inscriptis").get_text(html)) if html.strip() else ""


LIBRARIES = {
    "mail-parser-reply": mail_parser_reply,
    "talon": talon,
    "quotequail": quotequail,
    "unquotemail": unquotemail,
}


def main(library: str) -> None:
    newest = LIBRARIES[library]()
    signal.signal(signal.SIGALRM, _too_long)
    for line in sys.stdin:
        case: dict[str, Any] = json.loads(line)
        begun = time.process_time()
        signal.alarm(PATIENCE)
        try:
            text: str | None = newest(case.get("plain"), case.get("html"))
        except Exception:  # noqa: BLE001 - whatever it raises, it has no answer
            text = None
        signal.alarm(0)
        print(json.dumps({"newest": text, "seconds": time.process_time() - begun}), flush=True)


def _too_long(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main(sys.argv[1])
