"""HTML for which the parser would need quadratic time or memory is cut before parsing. Other HTML is not cut."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from conversion.cleaning.html import text_of
from conversion.limits import DEFAULT_LIMITS
from conversion.mime import costly_html
from conversion.mime.costly_html import until_too_costly
from conversion.mime.nesting import until_too_deep

FAR_BELOW = 5.0
"""CPU seconds: a quarter of `CONVERSION_DEADLINE`. Without the cut, the worst of these pages takes minutes."""
FORMATTING = "b, big, code, em, font, i, s, small, strike, strong, tt, u"
COSTLY = {
    "attributes": lambda n: "<p " + "".join(f"a{i}=1 " for i in range(n)) + ">x",
    "attributes that hold brackets": lambda n: "<p " + "".join(f"a{i}='>'" for i in range(n)) + ">x",
    "attributes behind a quotation mark in a comment": lambda n: (
        '<!-- <p a=" --><p ' + "".join(f"a{i} " for i in range(n)) + ">x"
    ),
    "brackets in a name": lambda n: "<p" * 5 * n,
    "brackets in values": lambda n: "<p/a=" * n,
    "options": lambda n: "<select>" + "<option>x" * n,
    "paragraphs below open formatting": lambda n: "<p>" + "".join(f"<b id={i}>" for i in range(n)) + "<p>x" * n,
    "formatting that each paragraph leaves open": lambda n: "".join(f"<p><i id={i}>x" for i in range(n)),
}


def text(html):
    return text_of(until_too_costly(until_too_deep(html, DEFAULT_LIMITS.html_depth)), DEFAULT_LIMITS)


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_page_is_read_far_below_the_deadline(name):
    """`make sweep` checks that the time is at most linear."""
    page = COSTLY[name](60_000)
    start = time.process_time()
    text(page)
    assert time.process_time() - start < FAR_BELOW


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_page_is_cut_where_it_becomes_costly(name):
    page = "<p>Hello</p>" + COSTLY[name](100_000)
    cut = until_too_costly(page)
    assert len("<p>Hello</p>") <= len(cut) < len(page)
    assert page.startswith(cut)


@pytest.mark.parametrize(
    "page",
    [
        "<p>" + "<font color=red><b>x</b> y" * 20_000,
        "<table>" + "<tr><td><font size=2 color=red>x<td><i>y" * 20_000,
        "<div><p><b>a <i>b</i></b></p><p>c</p></div>" * 20_000,
        "<font face=Arial><b>" + "<p>x</p>" * 50_000,
        "<ul>" + "<li><b>x</b>" * 50_000,
        "<select>" + "<option>x" * 4_000 + "</select>",
        "<p " + " ".join(f"a{i}='x y z'" for i in range(250)) + ">" + "x" * 50_000,
        "<!-- " + "a < b " * 20_000 + " --><p>x",
    ],
)
def test_a_long_page_that_is_not_costly_stays_whole(page):
    assert until_too_costly(page) == page


TAGS = [
    f"<{slash}{name}>"
    for name in ("p", "div", "li", "ul", "td", "tr", "table", "b", "i", "font", "span", "h1")
    for slash in ("", "/")
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(TAGS), st.builds("<b id={}>".format, st.integers(0, 30)), st.just("x")), max_size=60
    )
)
def test_the_parser_makes_at_most_three_formatting_elements_per_counted_element_and_tag(tags):
    page = "".join(tags)
    opened, counted = costly_html._Open(), 0
    for tag in costly_html._TAG.finditer(page):
        if tag[2] in costly_html._COUNTED:
            opened.end(tag[2]) if tag[1] else opened.start(tag[2], page[tag.start() : tag.end() + 8].partition(">")[0])
            counted += opened.to_reopen
    made = len(HTMLTree.parse(page).body.query_selector_all(FORMATTING))
    assert made <= 3 * (counted + len(tags))
