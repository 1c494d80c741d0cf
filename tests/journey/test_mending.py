"""How an admin handles errors in a real browser: stop, verify, repair, resume and retry."""

from __future__ import annotations

import base64
import re
from itertools import count

import pytest

from tests.journey.browsing import PATIENCE, serious_faults, wait
from tests.mails import mail, message_id_of

pytestmark = pytest.mark.journey

TRADES = "trades@bank.example"
BUCKET = "sources/bank/operations"
"""The bucket of `TRADES`, and of a mailbox of the other integration."""
NUMBERS = count(1)
SLOW = 60_000


def deliver(exchange, how_many=1, name="mended"):
    """Deliver new emails. Return their Message-IDs in hex, which are the ids of their comments."""
    names = [f"{name}.{next(NUMBERS)}" for _ in range(how_many)]
    for one in names:
        exchange.post("deliver", mailbox=TRADES, folder="Inbox", mime=base64.b64encode(mail(one)).decode())
    return {message_id_of(one).encode().hex() for one in names}


def comment_ids(reinfer):
    return set(reinfer.get(BUCKET, comments="1")["comment_list"])


def of_trades(reinfer):
    listed = reinfer.get(BUCKET, comments="1")["comment_list"]
    return {one for one, comment in listed.items() if comment["user_properties"]["string:Mailbox"] == TRADES}


@pytest.fixture
def trades(page, stack, reinfer):
    """The page of a mailbox that is up to date."""
    page.goto(stack.url + "mailboxes/1/")
    page.locator("#live .badge", has_text="Up to date").first.wait_for(timeout=SLOW)
    return page


def press(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()


def test_verify_finds_no_difference_after_a_sync(trades):
    press(trades, "Verify")
    trades.get_by_text("is being verified").wait_for()
    trades.get_by_text(re.compile(r"^[\d,]+ emails in [\d,]+ folders compared: [\d,]+ correct")).wait_for(timeout=SLOW)


def test_verify_finds_lost_comments_and_repair_creates_them_again(trades, reinfer):
    before = of_trades(reinfer)
    assert before
    reinfer.delete(BUCKET)
    reinfer.put(BUCKET)
    press(trades, "Verify")
    trades.get_by_text(f"{len(before)} missing").first.wait_for(timeout=SLOW)
    assert trades.get_by_text(f"A repair costs up to {len(before)} AI units").is_visible()
    press(trades, "Repair")
    wait(trades, "all comments exist again", lambda: of_trades(reinfer) == before, SLOW)


def test_a_running_verification_can_be_stopped(trades, reinfer):
    reinfer.post("faults", effect="hang", operation="get-comment", seconds=1.5)
    press(trades, "Verify")
    press(trades, "Stop verifying")
    trades.get_by_text("The verification was stopped.").wait_for(timeout=PATIENCE)
    reinfer.delete("faults")
    assert trades.get_by_role("button", name="Verify", exact=True).is_visible()


def test_a_bucket_that_refuses_everything_is_paused_until_resume_on_the_overview(page, stack, exchange, reinfer):
    reinfer.post("faults", effect="failure", status=422, operation="sync", source="bank/operations")
    new = deliver(exchange, 12)
    page.goto(stack.url)
    problem = page.locator(".problem", has_text="Bucket bank/operations")
    problem.get_by_role("button", name="Resume").wait_for(timeout=SLOW)
    assert not new & comment_ids(reinfer)
    reinfer.delete("faults")
    problem.get_by_role("button", name="Resume").click()
    page.get_by_text("bank/operations is resumed").wait_for(timeout=PATIENCE)
    wait(page, "all has arrived", lambda: new <= comment_ids(reinfer), SLOW)
    wait(page, "the problem is no longer listed", lambda: problem.count() == 0, SLOW)


def test_failed_emails_are_filtered_by_reason_and_retried_together(page, stack, exchange, reinfer):
    poison = [f"poison.{number}" for number in range(2)]
    ids = {message_id_of(name).encode().hex() for name in poison}
    for one in ids:
        reinfer.post("faults", effect="failure", status=422, operation="sync", comment_id=one)
    for name in poison:
        exchange.post("deliver", mailbox=TRADES, folder="Inbox", mime=base64.b64encode(mail(name)).decode())
    page.goto(stack.url + "set-aside/")
    again = page.get_by_role("button", name="Try again")
    wait(page, "both are listed", lambda: again.count() == 2, SLOW)
    assert page.get_by_text("Re:infer refused this email, but not the others").first.is_visible()
    page.get_by_label("Part of an address").fill("nobody")
    press(page, "Show")
    page.get_by_text("No such email").wait_for()
    page.get_by_label("Part of an address").fill("trades")
    page.get_by_label("Reason").select_option(index=1)
    press(page, "Show")
    reinfer.delete("faults")
    press(page, "Try all again")
    page.get_by_text("2 emails are tried again").wait_for(timeout=PATIENCE)
    wait(page, "both have arrived", lambda: ids <= comment_ids(reinfer), SLOW)
    page.goto(stack.url + "set-aside/")
    page.get_by_text("No failed emails").wait_for(timeout=PATIENCE)


def test_a_running_mailbox_can_be_stopped_also_after_its_integration(trades, stack, exchange, reinfer):
    exchange.post("faults", effect="hang", operation="GetItem", seconds=6)
    new = deliver(exchange)
    trades.get_by_text("A worker is syncing it.").first.wait_for(timeout=SLOW)
    trades.goto(stack.url + "integrations/1/")
    press(trades, "Stop")
    trades.get_by_text("is stopped").first.wait_for()
    trades.goto(stack.url + "mailboxes/1/")
    press(trades, "Stop")
    trades.get_by_text(f"{TRADES} is stopped.").first.wait_for()
    exchange.delete("faults")
    trades.locator("#live .badge", has_text=re.compile("^Stopped")).first.wait_for(timeout=SLOW)
    press(trades, "Start")
    trades.get_by_text("as soon as its integration is started").first.wait_for()
    trades.goto(stack.url + "integrations/1/")
    press(trades, "Start")
    wait(trades, "the email arrives after the start", lambda: new <= comment_ids(reinfer), SLOW)


def test_a_csv_file_with_an_invalid_line_adds_nothing_and_unknown_mailboxes_require_action(page, stack):
    page.goto(stack.url + "integrations/1/mailboxes/many/")
    file = {"name": "mailboxes.csv", "mimeType": "text/csv"}
    page.get_by_label("Or a CSV file").set_input_files(
        [file | {"buffer": b"lost@bank.example,bank/claims\nno address\n"}]
    )
    press(page, "Add mailboxes")
    page.get_by_text("Not saved.").wait_for()
    assert page.get_by_text("Line 2").first.is_visible()
    page.get_by_label("Or a CSV file").set_input_files(
        [file | {"buffer": b"address,bucket\nlost@bank.example,bank/operations\nmislaid@bank.example\n"}]
    )
    press(page, "Add mailboxes")
    page.get_by_text("2 mailboxes are added.").wait_for()
    row = page.locator("#live tr", has_text="lost@bank.example")
    row.get_by_text("Action required").wait_for(timeout=SLOW)
    assert page.get_by_text("Exchange has no mailbox with this address.").first.is_visible()
    page.goto(stack.url)
    page.locator(".problem", has_text="Action required").first.wait_for(timeout=PATIENCE)


def test_a_password_cannot_be_guessed_and_the_page_says_how_long_to_wait(browser, stack):
    context = browser.new_context()
    visitor = context.new_page()
    visitor.goto(stack.url)
    for _ in range(6):
        visitor.get_by_label("Username").fill("somebody")
        visitor.get_by_label("Password").fill("a guess")
        press(visitor, "Log in")
        visitor.get_by_role("alert").wait_for()
    visitor.get_by_text("Too many attempts with this user name. Wait a minute").wait_for()
    assert serious_faults(visitor) == []
    context.close()


def test_the_browser_reported_no_errors_during_the_repairs(complaints):
    assert complaints == []
