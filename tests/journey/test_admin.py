"""The daily work of an admin in a real browser: sync, stop, start, errors and their repair.

Further tests check the accessibility of the pages.
"""

from __future__ import annotations

import base64
import re
from itertools import count

import pytest

from demo.seeding import ACCOUNT_PASSWORD
from tests.journey.browsing import PATIENCE, serious_faults, wait
from tests.journey.keyboard import tab_to, tabbed_through
from tests.mails import mail, message_id_of

pytestmark = pytest.mark.journey

NUMBERS = count(1)


def deliver(exchange, address="trades@bank.example"):
    """Deliver a new email. Return its Message-ID in hex, which is the id of its comment."""
    name = f"journey.{next(NUMBERS)}"
    exchange.post("deliver", mailbox=address, folder="Inbox", mime=base64.b64encode(mail(name)).decode())
    return message_id_of(name).encode().hex()


def arrived(reinfer, comment_id):
    return comment_id in reinfer.get("sources/bank/operations", comments="1")["comment_list"]


@pytest.fixture
def integration(page, stack):
    page.goto(stack.url + "integrations/")
    page.get_by_role("link", name="Exchange Server 2016").first.click()
    return page


def edit(page, **fields):
    page.get_by_role("link", name="Edit").first.click()
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()


def test_a_new_email_is_delivered_and_counted_on_the_page_without_a_reload(integration, exchange, reinfer):
    row = integration.locator("#live tr", has_text="trades@bank.example")

    def delivered():
        return int(row.locator("td").nth(2).inner_text().split()[-1])

    wait(integration, "the first 12 emails are counted", lambda: delivered() >= 12)
    before = delivered()
    new = deliver(exchange)
    wait(integration, "the email arrives", lambda: arrived(reinfer, new))
    wait(integration, "the page counts the new email", lambda: delivered() > before)


def test_stop_pauses_the_sync_and_start_continues_it(integration, exchange, reinfer):
    integration.get_by_role("button", name="Stop").first.click()
    integration.get_by_text("is stopped").first.wait_for(timeout=PATIENCE)
    new = deliver(exchange)
    integration.wait_for_timeout(4000)  # two polling intervals; nothing may be synced
    assert not arrived(reinfer, new)
    integration.get_by_role("button", name="Start").first.click()
    wait(integration, "the email arrives after the start", lambda: arrived(reinfer, new))


TAB_NAMES = ["Connection", "Errors", "Audit log", "JSON"]


def open_tab(integration, name):
    integration.get_by_role("navigation", name="Parts of this integration").get_by_role("link", name=name).click()
    return integration.get_by_role("region", name="State", exact=True)


@pytest.mark.parametrize("name", TAB_NAMES)
def test_stop_and_start_work_on_every_tab_of_an_integration(integration, name):
    state = open_tab(integration, name)
    here = integration.url
    for button, done, said in (("Stop", "Stopped", "is stopped"), ("Start", "Running", "is running")):
        state.get_by_role("button", name=button).click()
        integration.locator("#messages").get_by_text(said).wait_for(timeout=PATIENCE)
        state.get_by_text(done, exact=True).wait_for(timeout=PATIENCE)
    assert integration.url == here


def test_the_state_of_an_integration_refreshes_itself_on_every_tab(integration):
    other = integration.context.new_page()
    other.goto(integration.url)
    for name, button, done in zip(TAB_NAMES, ["Stop", "Start"] * 2, ["Stopped", "Running"] * 2, strict=True):
        state = open_tab(integration, name)
        other.get_by_role("region", name="State", exact=True).get_by_role("button", name=button).click()
        state.get_by_text(done, exact=True).wait_for(timeout=PATIENCE)
    other.close()


def test_a_wrong_password_is_reported_with_its_remedy_and_fixed_without_a_restart(integration, exchange, reinfer):
    edit(integration, Password="not the right one")
    integration.get_by_text("refused these credentials").first.wait_for(timeout=PATIENCE)
    assert integration.get_by_text("Update them and press Start").first.is_visible()
    new = deliver(exchange)
    integration.get_by_role("button", name="Test connection").click()
    # After two refused sign-ins, the product waits before it tries a third, so that the account is not locked.
    refused = re.compile("refused (these credentials|recently)")
    integration.locator(".finding.bad").get_by_text(refused).first.wait_for(timeout=PATIENCE)
    assert "not the right one" not in integration.content()
    edit(integration, Password=ACCOUNT_PASSWORD)
    wait(integration, "the email arrives once the password is right", lambda: arrived(reinfer, new))
    integration.get_by_role("button", name="Test connection").click()
    integration.locator(".finding.ok").get_by_text("can be read").wait_for(timeout=PATIENCE)


def test_a_wrong_endpoint_is_reported(integration, stack):
    right = stack.simulators["exchange"]["onprem"]["url"]
    edit(integration, Endpoint=right.replace("/EWS/Exchange.asmx", "/nowhere"), Password=ACCOUNT_PASSWORD)
    integration.get_by_role("button", name="Test connection").click()
    integration.locator(".finding.bad").get_by_text("no Exchange Web Services at this endpoint").wait_for(
        timeout=PATIENCE
    )
    edit(integration, Endpoint=re.sub(r":\d+/", ":9/", right), Password=ACCOUNT_PASSWORD)
    integration.get_by_role("button", name="Test connection").click()
    integration.locator(".finding.bad").get_by_text("cannot be reached").wait_for(timeout=PATIENCE)
    edit(integration, Endpoint=right, Password=ACCOUNT_PASSWORD)
    integration.get_by_role("button", name="Start").or_(integration.get_by_role("button", name="Stop")).first.wait_for()


def test_an_unknown_mailbox_is_reported(integration):
    integration.get_by_label("Mailbox to test with").fill("nobody@bank.example")
    integration.get_by_role("button", name="Test connection").click()
    integration.locator(".finding.bad").get_by_text("has no mailbox with this address").wait_for(timeout=PATIENCE)


def test_sync_now_syncs_a_mailbox_at_once(integration, exchange, reinfer):
    integration.get_by_role("link", name="trades@bank.example").first.click()
    new = deliver(exchange)
    integration.get_by_role("button", name="Sync now").first.click()
    integration.get_by_text(re.compile("is queued|already queued")).first.wait_for(timeout=PATIENCE)
    wait(integration, "the email arrives", lambda: arrived(reinfer, new))


def test_a_bucket_name_with_a_slash_is_refused(integration):
    integration.get_by_role("link", name="Add mailbox").click()
    integration.get_by_label("Address", exact=True).fill("new@bank.example")
    integration.get_by_label("Bucket", exact=True).select_option(label="A new bucket…")
    integration.get_by_label("Destination", exact=True).select_option(label="Re:infer")
    integration.get_by_label("Project", exact=True).fill("bank")
    integration.get_by_label("Name", exact=True).fill("desks/too/many")
    integration.get_by_role("button", name=re.compile("Save|Add")).click()
    integration.get_by_text("must not contain a slash").first.wait_for()
    assert integration.get_by_label("Address", exact=True).is_visible()


def nested(levels):
    heads = (f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n' for level in range(levels))
    head = "From: Ann <ann@north.example>\r\nSubject: Deep\r\nMessage-ID: <deep@north.example>\r\n"
    return (head + "".join(heads) + "Content-Type: text/plain\r\n\r\nText").encode()


def test_the_list_of_failed_emails_links_to_the_preview_of_an_email(page, stack, exchange):
    exchange.post("deliver", mailbox="trades@bank.example", folder="Inbox", mime=base64.b64encode(nested(200)).decode())
    page.goto(stack.url + "mailboxes/1/")
    page.get_by_role("link", name="Preview", exact=True).nth(1).click(timeout=PATIENCE)
    page.get_by_text("This email does not become a comment. nested_too_deep").wait_for()
    page.go_back()
    page.get_by_role("button", name="Dismiss").first.click()


def test_an_uploaded_email_is_shown_as_a_comment_with_what_was_cut(page, stack):
    page.goto(stack.url + "preview/")
    text = "We agree.\n\nKind regards,\nAnn\n\nOn Mon, May 4, 2026 at 9:12 AM Ben <ben@south.example> wrote:\n> Do you?"
    email = {"name": "a.eml", "mimeType": "message/rfc822", "buffer": mail("preview", body=text)}
    page.get_by_label("Email", exact=True).set_input_files(email)
    page.get_by_role("button", name="Show the comment").click()
    page.get_by_text("We agree.", exact=True).wait_for()
    page.get_by_text("quoted-lines").click()
    assert page.get_by_text("> Do you?").is_visible()


PAGES = [
    "preview/",
    "errors/",
    "history/",
    "",
    "integrations/",
    "integrations/1/",
    "integrations/1/edit/",
    "integrations/new/",
    "mailboxes/1/",
    "mailboxes/1/edit/",
]
PAGES += ["integrations/1/select/", "integrations/1/mailboxes/many/", "buckets/1/edit/", "history/?mailbox=1"]
PAGES += [f"integrations/1/part/{part}/" for part in ("connection", "errors", "history", "json")]
PAGES += ["integrations/import/", "integrations/1/ready/", "integrations/1/mailboxes/new/?setup=1"]
PAGES += [
    "destinations/",
    "destinations/1/",
    "destinations/1/edit/",
    "runs/",
    "runs/?show=all",
    "set-aside/",
    "nowhere/",
]
PAGES += ["mailboxes/1/delete/", "mailboxes/1/send-again/", "integrations/1/delete/", "integrations/2/switch/"]
PAGES += ["destinations/1/delete/", "destinations/new/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(page, stack, path):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(stack.url + path)
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert widths[0] <= widths[1]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(page, stack, path, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(stack.url + path)
    found = serious_faults(page)
    page.emulate_media(color_scheme="light")
    assert found == []


@pytest.mark.parametrize("path", PAGES)
def test_the_tab_key_reaches_every_control_of_a_page_and_the_focus_is_visible(page, stack, path):
    page.goto(stack.url + path)
    missed, unseen = tabbed_through(page)
    assert missed == []
    assert unseen == []


def test_mailboxes_can_be_managed_with_the_keyboard_alone(browser, stack, exchange, reinfer):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(stack.url)
    page.keyboard.type("admin")  # the page sets the focus to the first field
    page.keyboard.press("Tab")
    page.keyboard.type(stack.password)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    tab_to(page, "Exchange Server 2016")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Exchange Server 2016").wait_for()
    tab_to(page, "Stop")
    page.keyboard.press("Enter")
    page.get_by_text("is stopped").first.wait_for(timeout=PATIENCE)
    # Stop was replaced by Start, which now has the focus.
    wait(page, "Start has the focus", lambda: page.evaluate("document.activeElement.innerText").strip() == "Start")
    page.keyboard.press("Space")
    page.get_by_text("is running").first.wait_for(timeout=PATIENCE)
    tab_to(page, "Add mailbox")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="New mailbox").wait_for()
    tab_to(page, "Address")
    page.keyboard.type("by.keyboard@bank.example")
    tab_to(page, "Never these folders")
    page.keyboard.type("Inbox/Private")
    tab_to(page, "Meeting messages")
    page.keyboard.press("Space")
    tab_to(page, "Add mailbox")
    page.keyboard.press("Enter")
    page.get_by_text("by.keyboard@bank.example is added").first.wait_for()
    tab_to(page, "by.keyboard@bank.example")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="by.keyboard@bank.example").wait_for()
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Delete by.keyboard@bank.example").wait_for()
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    page.get_by_text("by.keyboard@bank.example is deleted").first.wait_for()
    context.close()


def test_the_browser_reported_no_errors_during_the_daily_work(complaints):
    # The browser reports the status 404 of an unknown page as an error.
    assert [text for text in complaints if "404" not in text] == []
