"""Hostile strings, such as markup, are shown as text: strings of stored rows, URLs, forms, emails and documents."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.hostile import ADDRESS, ALL, BIDI, BRACES, MARKUP, hostile
from tests.journey.hostile_rows import ASIDE, HELD, RUNNING, STOPPED, TEXT
from tests.mails import mail

pytestmark = pytest.mark.journey

WIDTHS = (390, 1440)

# Whether the page shows this text in one piece and visibly, in a field or in a text node.
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

# Elements that can only come from a hostile string.
INJECTED = """() => [...document.querySelectorAll(
  "img[src='x'], [onerror], [onload], script:not([src]), bdi img, bdi svg, [href^='javascript:' i], [action^='javascript:' i]"
)].map(element => element.outerHTML.slice(0, 200))"""

# Elements that reach beyond the page, or are cut off where a user cannot scroll to them.
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
    if (card.scrollWidth > card.clientWidth + 1)
      found.push(`${card.scrollWidth} of ${card.clientWidth}: ${card.outerHTML.slice(0, 120)}`);
  return found.slice(0, 6);
}"""

# Words of the product that are drawn from right to left, because a hostile text next to them changed the direction.
REVERSED = """() => {
  const found = [], nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const left = (node, at) => {
    const range = document.createRange();
    range.setStart(node, at); range.setEnd(node, at + 1);
    return range.getBoundingClientRect();
  };
  while (nodes.nextNode()) {
    const node = nodes.currentNode;
    const theirs = node.parentElement.closest("bdi, .mail-text, del, ins");
    const ours = theirs ? /Next try (?=at|on)|saved[.] The changes|Choose another/ : /[A-Za-z]{3,}/;
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
    """The page in one of `WIDTHS`. The test fails if the browser reports an error, a warning or a dialog: see `logged_in`."""
    complaints.clear()
    page.set_viewport_size({"width": request.param, "height": 900})
    yield page
    assert complaints == []


def assert_it_is_text(page, *texts):
    assert [text[:40] for text in texts if not page.evaluate(SHOWS, text)] == [], "not shown unchanged"
    assert page.evaluate(INJECTED) == []
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(REVERSED) == []


def title(place):
    return hostile(f"{place}-title", 256)


def detail(place):
    return hostile(place, TEXT)


def address(number):
    return hostile(f"address-{number}", 320)


FILTER = hostile("filter", 512)
FOLDER = hostile("folder", 512)
REASON = hostile("reason", 512)
NAME = "<img src=x onerror=alert(1)>" + "W" * 100
HELD_NAME = "<img src=x onerror=alert(1)>" + "V" * 100

PAGES = {
    "": [title("held"), detail("integration-held"), detail("integration-disabled"), detail("mailbox-disabled"), REASON],
    "?span=month": [
        f"{'b' * 1024}/{RUNNING}-",
        detail("destination-held"),
        detail("bucket-detail"),
        detail("state-error"),
    ],
    "integrations/": [title("running"), title("held"), detail("integration-held"), detail("integration-disabled")],
    f"integrations/{RUNNING}/": [
        title("running"),
        address(RUNNING),
        detail("state-error"),
        detail("mailbox-disabled"),
    ],
    f"integrations/{RUNNING}/part/connection/": [
        hostile("username", 256),
        hostile("proxy", 512),
        hostile("endpoint", 512),
        hostile("ciphers", 1024),
    ],
    f"integrations/{RUNNING}/part/errors/": [detail("run-error")],
    f"integrations/{RUNNING}/part/json/": [title("running")],
    f"integrations/{RUNNING}/ready/": [title("running")],
    f"integrations/{HELD}/": [title("held"), detail("integration-held")],
    f"integrations/{STOPPED}/": [title("stopped"), detail("integration-disabled")],
    f"integrations/{RUNNING}/edit/": [title("running"), hostile("endpoint", 512), hostile("proxy", 512)],
    f"integrations/{RUNNING}/delete/": [title("running")],
    f"integrations/{RUNNING}/select/": [title("running"), address(RUNNING)],
    f"integrations/{RUNNING}/mailboxes/new/": [title("running")],
    f"integrations/{RUNNING}/mailboxes/many/": [title("running")],
    f"mailboxes/{RUNNING}/": [
        title("running"),
        address(RUNNING),
        detail("state-error"),
        detail("run-error"),
        REASON,
        f"Inbox/{FOLDER}",
        FILTER,
        NAME,
    ],
    f"mailboxes/{HELD}/": [title("held"), address(HELD), detail("integration-held")],
    "mailboxes/94/": [address(94), detail("mailbox-disabled")],
    f"mailboxes/{RUNNING}/edit/": [title("running"), address(RUNNING), FILTER],
    f"mailboxes/{RUNNING}/delete/": [address(RUNNING), "b" * 1024],
    f"mailboxes/{RUNNING}/send-again/": [address(RUNNING), "b" * 1024],
    f"set-aside/{ASIDE}/preview/": [address(RUNNING)],
    "destinations/": [NAME, "javascript:alert(1)//", HELD_NAME, detail("destination-held")],
    "destinations/91/": [NAME, "javascript:alert(1)//", detail("bucket-detail")],
    "destinations/92/": [HELD_NAME, detail("destination-held")],
    "destinations/91/edit/": [NAME, "javascript:alert(1)//"],
    "destinations/92/delete/": [HELD_NAME],
    f"buckets/{RUNNING}/edit/": ["b" * 1024, NAME],
    "runs/": [address(RUNNING), title("running"), detail("run-error")],
    f"runs/?mailbox={RUNNING}": [address(RUNNING), detail("run-error")],
    "set-aside/": [REASON, FOLDER, address(RUNNING)],
    "history/": [hostile("act", 1024), hostile("before", 256), hostile("after", 256), "w" * 150],
}


@pytest.mark.parametrize("path", PAGES)
def test_strings_of_rows_are_shown_as_text(screen, stack, path):
    screen.goto(stack.url + path)
    assert_it_is_text(screen, *PAGES[path])


QUERIES = ["integrations/91/?q={}&state={}", "integrations/91/select/?q={}", "runs/?show={}&before={}&mailbox={}"]
QUERIES += ["history/?page={}&mailbox={}", "?span={}", "login/?next={}", "nowhere/{}"]


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize(
    "string", [MARKUP, BRACES, ADDRESS, hostile("query", 1000)], ids=["markup", "braces", "script", "all"]
)
def test_strings_of_a_url_are_shown_as_text(screen, stack, complaints, path, string):
    screen.goto(stack.url + path.replace("{}", quote(string)))
    assert_it_is_text(screen)
    # The browser reports the status 404 of an unknown page as an error.
    complaints[:] = [text for text in complaints if "404" not in text]


def test_an_entered_string_is_saved_and_shown_unchanged(screen, stack):
    typed = hostile("typed", 256)
    screen.goto(stack.url + "integrations/2/edit/")
    screen.get_by_label("Title", exact=False).first.fill(typed)
    screen.get_by_role("button", name="Save").click()
    screen.wait_for_url(stack.url + "integrations/2/")
    assert_it_is_text(screen, typed)
    assert screen.locator(".message", has_text="is saved").is_visible()
    screen.goto(stack.url + "history/")
    assert_it_is_text(screen, typed)


def test_refused_values_are_shown_unchanged_with_the_reason(screen, stack):
    screen.goto(stack.url + "integrations/2/edit/")
    for label in ("Endpoint", "Proxy", "TLS cipher list"):
        screen.get_by_label(label).first.fill(f"{ADDRESS}//{ALL}")
    screen.get_by_role("button", name="Save").click()
    screen.get_by_text("Not saved.").wait_for()
    assert_it_is_text(screen, f"{ADDRESS}//{ALL}")


def test_invalid_addresses_are_shown_unchanged(screen, stack):
    screen.goto(stack.url + "integrations/2/mailboxes/many/")
    screen.get_by_label("Addresses").fill(hostile("no address", 2000))
    screen.get_by_role("button", name="Add mailboxes").click()
    screen.get_by_text("Not saved.").wait_for()
    assert_it_is_text(screen, hostile("no address", 2000))


PLAIN = f"{MARKUP} {BRACES} {ADDRESS} {BIDI}"
"""A hostile text without control characters. The conversion keeps it unchanged, also in the headers of an email."""
CUT_OFF = "\x00\x01\x1b"


def email(place, **headers):
    """Return the MIME of an email with a hostile string in every part. Each string names its part."""
    values = {
        "From": f"{word(f'from {PLAIN}{CUT_OFF}')} <ann@north.example>",
        "To": ", ".join(f"{word(f'to {number} {PLAIN}')} <ben{number}@south.example>" for number in range(3)),
        "Cc": f"{word(f'cc {PLAIN}')} <{'c' * 60}@{'south.' * 30}example>",
        "Subject": word(f"subject {PLAIN}{CUT_OFF}{'W' * 2000}"),
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "Message-ID": f"<{place}{'m' * 400}@north.example>",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/mixed; boundary="b"',
    } | headers
    name = f"filename*=utf-8''{quote(f'name {PLAIN}' + 'W' * 200)}"
    body = f"body {PLAIN} {'W' * 2000}\n\nKind regards,\nAnn {PLAIN}\n\nOn Mon, May 4, 2026 at 9:12 AM B wrote:\n> {PLAIN}\n"
    parts = [
        f"Content-Type: text/plain; charset=utf-8\n\n{body}",
        f"Content-Type: {ADDRESS}/{'y' * 300}\nContent-Disposition: attachment; {name}\n\nx",
    ]
    lines = [f"{name}: {value}" for name, value in values.items()]
    return ("\n".join([*lines, "", *(f"--b\n{part}" for part in parts), "--b--", ""])).encode()


def word(text):
    """Return the text as an encoded word of a header, which may contain any character."""
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def upload(page, stack, mime, name="a.eml"):
    page.goto(stack.url + "preview/")
    page.get_by_label("Email", exact=True).set_input_files({"name": name, "mimeType": "message/rfc822", "buffer": mime})
    page.get_by_role("button", name="Show the comment").click()
    page.wait_for_load_state()


def test_every_part_of_an_uploaded_email_is_shown_as_text(screen, stack):
    upload(screen, stack, email("hostile"), name=f"file {BRACES} {BIDI} <img src=x onerror=alert(1)>.eml")
    for cut in screen.locator("details > summary").all():
        cut.click()
    people = [f"from {PLAIN}", *(f"to {number} {PLAIN}" for number in range(3)), f"cc {PLAIN}"]
    assert_it_is_text(
        screen,
        f"subject {PLAIN}",
        *people,
        f"body {PLAIN}",
        f"Ann {PLAIN}",
        f"> {PLAIN}",
        f"name {PLAIN}",
        f"file {BRACES}",
    )


def test_the_html_of_an_uploaded_email_adds_no_elements_to_the_page(screen, stack):
    html = (
        f"<script>alert(1)</script><base href=//evil.example><meta http-equiv=refresh content=0><form action={ADDRESS}>"
    )
    html += (
        "<img src=x onerror=alert(1)><style>*{display:none}</style><p>&lt;img src=x onerror=alert(1)&gt; {{7*7}}</p>"
    )
    head = "From: a@b.example\nDate: Sun, 01 Mar 2026 12:00:00 +0000\nMessage-ID: <page@x.example>\nContent-Type: text/html"
    upload(screen, stack, f"{head}\n\n{html}".encode())
    assert_it_is_text(screen, "<img src=x onerror=alert(1)> {{7*7}}")


def test_an_upload_that_is_no_email_adds_no_elements_to_the_page(screen, stack):
    upload(screen, stack, (CUT_OFF + ALL).encode() * 100)
    assert_it_is_text(screen)


def test_a_hostile_folder_name_is_shown_as_text(screen, stack, exchange):
    name = f"<img src=x onerror=alert(1)> {BRACES} {BIDI}"
    address = "trades@bank.example"
    mailbox = exchange.get(f"mailboxes/{address}")
    if name not in [folder["path"] for folder in mailbox["folders"]]:
        exchange.post("create-folder", mailbox=address, folder=name)
        exchange.post("deliver", mailbox=address, folder=name, mime=base64.b64encode(mail("hostile-folder")).decode())
    screen.goto(stack.url + "mailboxes/1/")
    screen.locator("td.name", has_text="{{7*7}}").first.wait_for(timeout=25_000)
    assert_it_is_text(screen, name)


def test_the_review_of_an_import_shows_strings_as_text(screen, stack):
    document = {"title": f"Title {MARKUP} {BRACES}", "name": "bank/new", MARKUP: 1, "configuration": {"mailboxes": []}}
    screen.goto(stack.url + "integrations/import/")
    screen.get_by_label("Document").fill(json.dumps(document))
    screen.get_by_role("button", name="Show what would change").click()
    screen.get_by_role("button", name="Confirm").wait_for()
    assert_it_is_text(screen, f"Title {MARKUP} {BRACES}")
