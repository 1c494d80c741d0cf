"""The first steps with the product in a real browser: set up an integration, sync 5,000 emails, and use the roles."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from pathlib import Path

import pytest

from demo.exchange import Control
from demo.ports import free
from demo.processes import Processes
from demo.seeding import ACCOUNT_PASSWORD, TOKEN
from demo.stack import Stack
from tests.journey.browsing import PATIENCE, logged_in, wait
from tests.mails import mail, message_id_of

pytestmark = pytest.mark.journey

DESK = "desk@bank.example"
PASSWORD = "a long enough password"
MANY = 5000
USERS = f"""
from django.contrib.auth.models import Group, User
User.objects.create_superuser("admin", password={PASSWORD!r})
for role in ("Viewer", "Operator"):
    user = User.objects.create_user(role.lower(), password={PASSWORD!r})
    user.groups.add(Group.objects.get(name=role))
"""


@pytest.fixture(scope="module")
def stack():
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        made = Stack(processes, Path(folder), port=free())
        made.prepare(["--mailboxes", DESK, "--generate", f"1/{MANY}", "--sources", "bank/desks,bank/other"])
        made.manage("shell", "-v", "0", "-c", USERS)
        made.run()
        yield made


@pytest.fixture(scope="module")
def page(browser, stack, complaints):
    return logged_in(browser, stack.url, "admin", PASSWORD, complaints)


@pytest.fixture(scope="module")
def reinfer(stack):
    return Control(stack.simulators["reinfer"]["control_url"])


@pytest.fixture(scope="module")
def exchange(stack):
    return Control(stack.simulators["exchange"]["control_url"])


def test_the_empty_overview_shows_the_first_steps(page):
    page.get_by_text("Send the first mail to Re:infer").wait_for()
    page.get_by_role("link", name="Add an integration").click()


def test_a_wrong_password_is_found_before_anything_is_saved(page, stack):
    exchange = stack.simulators["exchange"]
    page.get_by_label("Title").fill("Desks")
    page.get_by_label("Project", exact=True).fill("bank")
    page.get_by_label("Name", exact=True).fill("desks")
    page.get_by_label("Exchange Server, in your own network").check()
    page.get_by_label("Endpoint").fill(exchange["onprem"]["url"])
    page.get_by_label("Username").fill(exchange["onprem"]["accounts"][0])
    page.get_by_label("Password").fill("not the right one")
    page.get_by_label("CA bundle").fill(Path(exchange["ca_file"]).read_text())
    page.get_by_label("Mailbox to test with").fill(DESK)
    page.get_by_role("button", name="Test connection").click()
    page.locator(".finding.bad").get_by_text("refused these credentials").wait_for(timeout=PATIENCE)
    steps = page.locator(".probe-steps li").all_inner_texts()
    assert [text.split()[0] for text in steps] == ["Name", "Port", "TLS", "Sign"]
    assert page.url.endswith("/integrations/new/")


def test_with_the_right_password_the_test_reads_an_email_and_saving_leads_to_the_mailboxes(page):
    page.get_by_label("Password").fill(ACCOUNT_PASSWORD)
    page.get_by_role("button", name="Test connection").click()
    page.locator(".finding.ok").get_by_text("can be read").wait_for(timeout=PATIENCE)
    assert "An email of" in page.locator(".probe-steps").inner_text()
    page.get_by_role("button", name="Save and add mailboxes").click()
    page.get_by_text("Add a destination first").wait_for()


def test_a_destination_is_added_during_the_setup_and_a_wrong_token_is_found(page, stack):
    page.get_by_role("link", name="New destination").click()
    page.get_by_label("Name", exact=True).fill("Production")
    page.get_by_label("API endpoint").fill(stack.simulators["reinfer"]["url"])
    page.get_by_label("API token").fill("wrong")
    page.get_by_role("button", name="Test", exact=True).click()
    page.locator(".finding.bad").wait_for(timeout=PATIENCE)
    assert [text.split()[0] for text in page.locator(".probe-steps li").all_inner_texts()] == ["Address", "Token"]
    page.get_by_label("API token").fill(TOKEN)
    page.get_by_role("button", name="Test", exact=True).click()
    page.locator(".finding.ok").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("mailboxes/new"))


def test_a_bucket_is_chosen_from_the_list_of_reinfer(page):
    page.get_by_label("Address", exact=True).fill(DESK)
    page.get_by_role("button", name="Show the buckets at Re:infer").click()
    page.get_by_label("Buckets at").select_option("bank/desks", timeout=PATIENCE)
    page.get_by_role("button", name="Add mailbox").click()
    page.get_by_role("heading", name="Start Desks").wait_for()


def test_the_cost_is_known_before_the_start(page):
    page.get_by_role("button", name="Estimate emails and AI units").click()
    page.get_by_text(re.compile(rf"^{MANY:,} emails in 1 mailbox will be synced")).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Test the bucket").click()
    page.get_by_text("The bucket bank/desks exists").wait_for(timeout=PATIENCE)


def test_the_first_sync_shows_its_progress(page, exchange, reinfer):
    # Exchange responds slowly, as a real server does. Otherwise the sync ends before its progress can be seen.
    exchange.post("faults", effect="hang", operation="GetItem", seconds=0.2)
    page.get_by_role("button", name="Start", exact=True).click()
    seen = set()

    def up_to_date():
        seen.update(page.locator("#live progress").evaluate_all("bars => bars.map(bar => bar.value)"))
        return page.locator("#live .badge", has_text="Up to date").count() > 0

    wait(page, "all is up to date", up_to_date, 180_000)
    exchange.delete("faults")
    assert len(seen) >= 3, seen
    state = reinfer.get("sources/bank/desks")
    assert (state["comments"], state["ai_units"]) == (MANY, MANY)


def test_an_email_that_reinfer_refuses_is_listed_and_delivered_by_a_retry(page, exchange, reinfer):
    poison = message_id_of("poison").encode().hex()
    reinfer.post("faults", effect="failure", status=422, operation="sync", comment_id=poison)
    exchange.post("deliver", mailbox=DESK, folder="Inbox", mime=base64.b64encode(mail("poison")).decode())
    page.get_by_role("link", name=DESK).first.click()
    again = page.get_by_role("button", name="Try again")
    again.first.wait_for(timeout=60_000)
    reinfer.delete("faults")
    again.first.click()
    wait(page, "the list of failed emails is empty", lambda: again.count() == 0, 60_000)
    assert poison in reinfer.get("sources/bank/desks", comments="1")["comment_list"]


def test_the_effect_of_filters_is_shown_before_they_are_saved(page):
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Never these folders").fill("Inbox")
    page.get_by_role("button", name="Show what would be synced").click()
    page.locator(".finding.ok").get_by_text("by folder").or_(
        page.locator(".finding.ok").get_by_text("No email of the last 30 days")
    ).wait_for(timeout=PATIENCE)


def test_an_import_shows_what_would_change_and_then_changes_it(page, stack):
    page.goto(stack.url + "integrations/1/part/json/")
    document = json.loads(page.locator("pre.document").inner_text())
    document["title"] = "Desks of the bank"
    document["configuration"]["mailboxes"].append(
        {"email": "new@bank.example", "bucket_specification": {"project_name": "bank", "name": "other"}, "colour": 1}
    )
    page.get_by_role("link", name="Import").click()
    page.get_by_label("Document").fill(json.dumps(document))
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_text("colour is not supported").wait_for()
    assert page.locator("ins", has_text="Desks of the bank").is_visible()
    assert page.get_by_text("new@bank.example").first.is_visible()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Desks of the bank").wait_for()
    assert page.get_by_role("link", name="new@bank.example").is_visible()


REFUSED = {
    "viewer": ("integrations/1/stop/", "mailboxes/1/sync-now/", "integrations/1/edit/", "integrations/import/"),
    "operator": ("integrations/1/edit/", "integrations/new/", "mailboxes/1/send-again/", "destinations/1/delete/"),
}


@pytest.mark.parametrize("role", REFUSED)
def test_actions_that_a_role_does_not_allow_get_status_403(browser, stack, role):
    complaints = []  # the console reports each status 403 as an error
    page = logged_in(browser, stack.url, role, PASSWORD, complaints)
    page.goto(stack.url + "integrations/1/")
    assert page.get_by_role("link", name="Edit").count() == 0
    assert (page.get_by_role("button", name="Stop").count() > 0) is (role == "operator")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    for path in REFUSED[role]:
        response = page.request.post(stack.url + path, headers={"X-CSRFToken": token, "Referer": stack.url})
        assert response.status == 403, path
    assert [text for text in complaints if "403" not in text] == []
    page.context.close()


def test_times_are_in_the_zone_of_the_browser(page, stack):
    page.goto(stack.url + "history/")
    assert re.search(r"CES?T", page.locator("time").first.get_attribute("title"))


def test_the_browser_reported_no_errors_during_the_setup(complaints):
    assert complaints == []
