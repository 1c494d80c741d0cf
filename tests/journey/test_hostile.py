"""Strings that others choose are shown as text, whatever they say and however long: on every page, wide and narrow."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.hostile import ALL, BIDI, hostile
from tests.journey.hostile_rows import ASIDE, HELD, RUNNING, STOPPED, TEXT
from tests.mails import mail

pytestmark = pytest.mark.journey

WIDTHS = (390, 1440)

# Where the page shows this text: in one piece, to be seen, and neither outside the page nor below something that cuts it.
SHOWS = """text => {
  const seen = (element, box) => box.width > 2 && box.height > 2 && !element.closest(".hidden")
    && element.checkVisibility({visibilityProperty: true, opacityProperty: true});
  for (const field of document.querySelectorAll("input, textarea"))
    if (field.value.includes(text) && seen(field, field.getBoundingClientRect())) return true;
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    if (!nodes.currentNode.data.includes(text)) continue;
    const range = document.createRange();
    range.selectNodeContents(nodes.currentNode);
    if (seen(nodes.currentNode.parentElement, range.getBoundingClientRect())) return true;
  }
  return false;
}"""

# Elements that only a hostile string can have made.
STRANGERS = """() => [...document.querySelectorAll(
  "img[src='x'], [onerror], [onload], script:not([src]), bdi img, bdi svg, [href^='javascript:' i], [action^='javascript:' i]"
)].map(element => element.outerHTML.slice(0, 200))"""

# What reaches beyond the page, or is cut off where nobody can scroll to it.
BEYOND = """() => {
  const root = document.documentElement, found = [];
  if (root.scrollWidth > window.innerWidth) found.push(`the page: ${root.scrollWidth} of ${window.innerWidth}`);
  const scrolls = element => {
    const style = getComputedStyle(element);
    return ["auto", "scroll"].includes(style.overflowX) || style.textOverflow === "ellipsis";
  };
  for (const element of document.querySelectorAll("main *, .side *")) {
    const box = element.getBoundingClientRect();
    if (element.closest(".hidden, svg, .skip, option") || box.width <= 2 || box.right <= window.innerWidth + 1) continue;
    let around = element.parentElement;
    while (around && !scrolls(around)) around = around.parentElement;
    if (!around) found.push(`${Math.round(box.right)}: ${element.outerHTML.slice(0, 120)}`);
  }
  for (const card of document.querySelectorAll(".card"))
    if (card.scrollWidth > card.clientWidth + 1) found.push(`${card.scrollWidth} of ${card.clientWidth}: ${card.outerHTML.slice(0, 120)}`);
  return found.slice(0, 6);
}"""

# Words of ours that stand the wrong way round, because somebody else's text turned them.
TURNED = """() => {
  const found = [], nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const left = (node, at) => {
    const range = document.createRange();
    range.setStart(node, at); range.setEnd(node, at + 1);
    return range.getBoundingClientRect();
  };
  while (nodes.nextNode()) {
    const node = nodes.currentNode;
    const ours = node.parentElement.closest("bdi, .mail-text, del, ins") ? /Next try (?=at|on)/ : /[A-Za-z]{3,}/;
    const word = ours.exec(node.data);
    if (!word) continue;
    const first = left(node, word.index), second = left(node, word.index + 1);
    if (first.width && first.top === second.top && second.left < first.left) found.push(node.data.slice(-80));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def hostile_stack(stack):
    stack.manage("shell", "-v", "0", "-c", "from tests.journey.hostile_rows import make; make()")
    return stack


@pytest.fixture(params=WIDTHS)
def screen(request, page, hostile_stack, complaints):
    """The page in this width; it may not have complained when the test is over."""
    complaints.clear()
    page.set_viewport_size({"width": request.param, "height": 900})
    yield page
    assert complaints == []


def assert_it_is_text(page, *texts):
    assert [text[:40] for text in texts if not page.evaluate(SHOWS, text)] == [], "not shown as it is"
    assert page.evaluate(STRANGERS) == []
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(TURNED) == []


def title(place):
    return hostile(f"{place}-title", 256)


def said(place):
    return hostile(place, TEXT)


def address(number):
    return hostile(f"address-{number}", 320)


FILTER = hostile("filter", 512)
FOLDER = hostile("folder", 512)
REASON = hostile("reason", 512)
NAME = "<img src=x onerror=alert(1)>" + "W" * 100
HELD_NAME = "<img src=x onerror=alert(1)>" + "V" * 100

PAGES = {
    "": [title("held"), said("integration-held"), said("integration-disabled"), said("mailbox-disabled"), REASON],
    "?span=month": [said("destination-held"), said("bucket-detail"), said("state-error")],
    "integrations/": [title("running"), title("held"), said("integration-held"), said("integration-disabled")],
    f"integrations/{RUNNING}/": [
        title("running"),
        address(RUNNING),
        said("state-error"),
        said("mailbox-disabled"),
        hostile("username", 256),
        hostile("proxy", 512),
        hostile("endpoint", 512),
        hostile("ciphers", 1024),
    ],
    f"integrations/{HELD}/": [title("held"), said("integration-held")],
    f"integrations/{STOPPED}/": [title("stopped"), said("integration-disabled")],
    f"integrations/{RUNNING}/edit/": [title("running"), hostile("endpoint", 512), hostile("proxy", 512)],
    f"integrations/{RUNNING}/delete/": [title("running")],
    f"integrations/{RUNNING}/select/": [title("running"), address(RUNNING)],
    f"integrations/{RUNNING}/mailboxes/new/": [title("running")],
    f"integrations/{RUNNING}/mailboxes/many/": [title("running")],
    f"mailboxes/{RUNNING}/": [title("running"), address(RUNNING), said("state-error"), said("run-error"), REASON]
    + [f"Inbox/{FOLDER}", FILTER, NAME],
    f"mailboxes/{HELD}/": [title("held"), address(HELD), said("integration-held")],
    "mailboxes/94/": [address(94), said("mailbox-disabled")],
    f"mailboxes/{RUNNING}/edit/": [title("running"), address(RUNNING), FILTER],
    f"mailboxes/{RUNNING}/delete/": [address(RUNNING), "b" * 1024],
    f"mailboxes/{RUNNING}/send-again/": [address(RUNNING), "b" * 1024],
    f"set-aside/{ASIDE}/preview/": [address(RUNNING)],
    "destinations/": [NAME, "javascript:alert(1)//", HELD_NAME, said("destination-held")],
    "destinations/91/": [NAME, "javascript:alert(1)//", said("bucket-detail")],
    "destinations/92/": [HELD_NAME, said("destination-held")],
    "destinations/91/edit/": [NAME, "javascript:alert(1)//"],
    "destinations/92/delete/": [HELD_NAME],
    f"buckets/{RUNNING}/edit/": ["b" * 1024, NAME],
    "runs/": [address(RUNNING), title("running"), said("run-error")],
    f"runs/?mailbox={RUNNING}": [address(RUNNING), said("run-error")],
    "history/": [hostile("act", 1024), hostile("before", 256), hostile("after", 256), "w" * 150],
}


@pytest.mark.parametrize("path", PAGES)
def test_what_a_row_says_is_text_on_every_page(screen, stack, path):
    screen.goto(stack.url + path)
    assert_it_is_text(screen, *PAGES[path])
