"""Pages that could hold the interpreter are known before they are parsed, and no ordinary page is one of them."""

from __future__ import annotations

import time

import pytest

from sync.cleaning.costly import MOST_CHARS, is_costly
from sync.cleaning.html import text_of
from sync.limits import DEFAULT_LIMITS


def filled(unit: str, chars: int = MOST_CHARS) -> str:
    return unit * (chars // len(unit))


LEFT_OPEN = "<p>" + "".join(f"<b a={number}>" for number in range(400)) + "</p>"
BOMBS = {
    "elements left open": LEFT_OPEN + filled("<p>x</p>", 20_000),
    "a new one in every paragraph": "".join(f"<p><b a={number}>" for number in range(1700)),
    "all kinds left open": "<p><b><b><b><i><i><i><u><u><u><s><s><s><tt><font><em></p>" + filled("<p>x</p>", 90_000),
    "attributes": "<p " + " ".join(f"a{number}" for number in range(40_000)) + ">x",
    "options": "<select>" + filled("<option>x", 200_000),
}


@pytest.mark.parametrize("page", BOMBS.values(), ids=BOMBS)
def test_a_page_over_which_the_parser_takes_long_is_costly(page):
    assert is_costly(page)


@pytest.mark.parametrize(
    "page",
    [
        "<p>Please book the trade.</p>",
        filled('<tr><td class="a"><font face="Arial" size="2"><b>1</b></font></td></tr>\n'),
        filled('<p class="MsoNormal"><span style="color:red">x</span> <a href="http://north.example/">y</a></p>'),
        "".join(f'<p><font color="#{number:06x}">x</font></p>' for number in range(100)),
    ],
    ids=["a line", "a table", "Word", "a hundred colours"],
)
def test_an_ordinary_page_is_not(page):
    assert not is_costly(page)


CHEAP = {
    "attributes": "<p " + " ".join(f"a{number}" for number in range(15_000)) + ">x",
    "options": "<select>" + filled("<option>x"),
    "lists": "<ul><li>" * 990 + filled("x<br>", 90_000),
    "paragraphs": filled("<p>x"),
    "rows": "<table>" + filled("<tr><td>x"),
}


@pytest.mark.parametrize("page", [page[:MOST_CHARS] for page in CHEAP.values()], ids=CHEAP)
def test_the_worst_pages_that_are_parsed_here_stay_far_below_the_deadline(page):
    assert not is_costly(page)
    begun = time.process_time()
    text_of(page, DEFAULT_LIMITS)
    assert time.process_time() - begun < 5
