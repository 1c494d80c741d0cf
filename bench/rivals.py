"""Extract the newest text of emails with another library: `python rivals.py talon < cases`.

This script runs in the environment of the library (`bench.rival_environments`), so it imports no module of this project.
Input and output are lines of JSON, one per case.
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
"""Time limit for one email, in seconds. If the time limit is exceeded, the result is null."""

Newest = Callable[[str | None, str | None], str]


def mail_parser_reply() -> Newest:
    library = import_module("mailparser_reply")
    languages = list(import_module("mailparser_reply.constants").MAIL_LANGUAGES)
    parser = library.EmailReplyParser(languages=languages)
    return lambda plain, html: str(parser.read(text=plain or as_text(html or "")).latest_reply or "")


def talon() -> Newest:
    quotations = import_module("talon.quotations")
    # The `__init__` of `talon.signature` loads a classifier that fails to import on current Python versions. This empty
    # package replaces `talon.signature`, so that the rules in `talon.signature.bruteforce` can be imported.
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
        parts = library.unwrap(plain) if plain else library.unwrap_html(html)
        if not parts or parts["type"] == "forward":
            return plain or as_text(html or "")
        return str(parts.get("text_top", "") if plain else as_text(parts.get("html_top", "")))

    return newest


def unquotemail() -> Newest:
    library = import_module("unquotemail")

    def newest(plain: str | None, html: str | None) -> str:
        email = library.Unquote(html, plain)
        email.parse()
        return str(email.get_text() or "")

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
    signal.signal(signal.SIGALRM, _raise_timeout)
    for line in sys.stdin:
        case: dict[str, Any] = json.loads(line)
        begun = time.process_time()
        signal.alarm(PATIENCE)
        try:
            text: str | None = newest(case.get("plain"), case.get("html"))
        except Exception:  # noqa: BLE001 - any exception means that there is no result
            text = None
        signal.alarm(0)
        print(json.dumps({"newest": text, "seconds": time.process_time() - begun}), flush=True)


def _raise_timeout(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main(sys.argv[1])
