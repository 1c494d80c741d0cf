"""Nothing is cut from a text without quote and signature. The texts are files of Python's standard library."""

import os
from pathlib import Path

from conversion.cleaning import clean
from conversion.limits import DEFAULT_LIMITS
from conversion.mime.parts import Section

LIBRARY = Path(os.__file__).parent
PIECE = 50
"""Number of lines of a file that become one email."""


def pieces():
    for path in sorted(LIBRARY.glob("*.py")):
        lines = path.read_text(encoding="utf-8").split("\n")
        for first in range(0, min(len(lines), 6 * PIECE), PIECE):
            if "".join(lines[first : first + PIECE]).strip():
                yield f"{path.name}:{first}", "\n".join(lines[first : first + PIECE])


def test_nothing_is_cut_from_code_and_its_comments():
    emails = dict(pieces())
    assert len(emails) > 500
    cut = {
        name: cuts
        for name, text in emails.items()
        if (cuts := clean([Section(text, None)], "Code", DEFAULT_LIMITS).cuts)
    }
    assert cut == {}


def test_nothing_is_cut_from_code_in_html():
    emails = [f"<pre>{text.replace('&', '&amp;').replace('<', '&lt;')}</pre>" for _, text in pieces()]
    assert not [html for html in emails if clean([Section(None, html)], "Code", DEFAULT_LIMITS).cuts]
