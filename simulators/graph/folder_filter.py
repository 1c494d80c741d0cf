"""`$filter` over mail folders, by `displayName`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from simulators.exchange.store import Folder
from simulators.graph.errors import Refused

TEXT = r"'((?:[^']|'')*)'"
EQUAL = re.compile(rf"\AdisplayName\s+(eq|ne)\s+{TEXT}\Z", re.IGNORECASE)
CALL = re.compile(rf"\A(startswith|contains)\(\s*displayName\s*,\s*{TEXT}\s*\)\Z", re.IGNORECASE)
TESTS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda name, text: name == text,
    "ne": lambda name, text: name != text,
    "startswith": lambda name, text: name.startswith(text),
    "contains": lambda name, text: text in name,
}


def filtered(folders: Iterable[Folder], text: str) -> list[Folder]:
    """The folders that match the filter; all folders if the filter is blank. Case does not matter. Raises `Refused`."""
    if not text.strip():
        return list(folders)
    match = EQUAL.match(text.strip()) or CALL.match(text.strip())
    if match is None:
        raise Refused("ErrorInvalidUrlQuery", "The filter is not supported by the simulator.")
    test, wanted = TESTS[match[1].casefold()], match[2].replace("''", "'").casefold()
    return [folder for folder in folders if test(folder.name.casefold(), wanted)]
