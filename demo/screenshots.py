"""Screenshots of the pages, taken with Chromium while the demo runs.

`python -m demo.screenshots [DIR]` takes screenshots of the pages in `EMPTY` before there is data, and then of the pages in
`FULL` and three more pages with data. Both times it also takes the login page. Every page is taken wide and narrow, each in
light and dark.

`python -m demo.screenshots --docs [DIR]` takes only the screenshots that docs/ shows.
"""

from __future__ import annotations

import argparse
import itertools
import json
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.exchange import Control
from demo.life import Life
from demo.ports import free
from demo.processes import Processes
from demo.seeding import seed
from demo.stack import Stack

EMPTY = {
    "overview": "",
    "integrations": "integrations/",
    "integration-new": "integrations/new/",
    "import": "integrations/import/",
    "destinations": "destinations/",
    "destination-new": "destinations/new/",
    "runs": "runs/",
    "set-aside": "set-aside/",
    "history": "history/",
    "preview": "preview/",
}
FULL = {
    "overview": "",
    "integrations": "integrations/",
    "integration": "integrations/1/",
    "integration-connection": "integrations/1/part/connection/",
    "integration-errors": "integrations/1/part/errors/",
    "integration-history": "integrations/1/part/history/",
    "integration-json": "integrations/1/part/json/",
    "integration-edit": "integrations/1/edit/",
    "integration-delete": "integrations/1/delete/",
    "integration-switch": "integrations/2/switch/",
    "integration-start": "integrations/1/ready/",
    "select-many": "integrations/1/select/",
    "import": "integrations/import/",
    "mailbox": "mailboxes/1/",
    "mailbox-edit": "mailboxes/1/edit/",
    "mailbox-delete": "mailboxes/1/delete/",
    "mailbox-new": "integrations/1/mailboxes/new/?setup=1",
    "mailboxes-many": "integrations/1/mailboxes/many/",
    "send-again": "mailboxes/1/send-again/",
    "destinations": "destinations/",
    "destination": "destinations/1/",
    "destination-edit": "destinations/1/edit/",
    "destination-delete": "destinations/1/delete/",
    "bucket": "buckets/1/edit/",
    "runs": "runs/?show=all",
    "set-aside": "set-aside/",
    "errors": "errors/",
    "history": "history/",
    "not-found": "nowhere/",
}
DOCS = ("overview", "integrations", "integration", "mailbox", "integration-switch", "set-aside", "errors", "preview")
"""The pages that docs/ shows."""
DOCS_SIZE = (1200, 800)
DOCS_QUALITY = 60
WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
QUALITY = 70
"""The JPEG quality, 0 to 100."""
REPLY = b"""From: Ann North <ann@north.example>\r
To: Trades <trades@bank.example>\r
Subject: Re: Terms\r
Date: Mon, 4 May 2026 09:30:00 +0000\r
Message-ID: <reply@north.example>\r
\r
We agree to the terms as of today.\r
\r
Kind regards,\r
Ann North\r
\r
On Mon, May 4, 2026 at 9:12 AM Ben <ben@south.example> wrote:\r
> Would you agree to these terms?\r
"""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.screenshots")
    parser.add_argument("--docs", action="store_true", help="take only the screenshots that docs/ shows")
    parser.add_argument("dir", nargs="?", type=Path, help="folder for the screenshots")
    given = parser.parse_args()
    target = given.dir or Path("docs/screenshots" if given.docs else "screenshots")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium is missing: install the package chromium of Debian.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        stack = Stack(processes, Path(folder), port=free())
        stack.prepare(["--generate", "7/40"])
        stack.environment["DJANGO_SUPERUSER_PASSWORD"] = password = secrets.token_urlsafe(9)
        stack.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "")
        stack.run()
        if not given.docs:
            _take(stack, password, chromium, target / "empty", EMPTY)
        seed(stack, password)
        stack.product("start")
        _change_mailboxes(stack)
        _use_pages(stack, password, chromium)
        if given.docs:
            _take_for_docs(stack, password, chromium, target)
        else:
            _take(stack, password, chromium, target / "full", FULL)
    return 0


def _change_mailboxes(stack: Stack) -> None:
    """Wait until every mailbox is up to date. Then let emails arrive and move, and let one email fail."""
    stack.wait(lambda: all(box["up_to_date"] for box in stack.product("figures")), "the first sync", 60)
    control = Control(stack.simulators["exchange"]["control_url"])
    life = Life(control, [mailbox["address"] for mailbox in control.get("mailboxes")])
    for _ in range(12):
        life.step()
        time.sleep(0.5)
    first = control.get("mailboxes")[0]["address"]
    control.post(
        "faults", effect="item", code="ErrorMimeContentConversionFailed", message_id="<broken@mail.north.example>"
    )
    control.post(
        "deliver",
        mailbox=first,
        folder="Inbox",
        message_id="<broken@mail.north.example>",
        subject="Broken",
        body="Broken",
    )
    stack.wait(lambda: any(box["failed"] for box in stack.product("figures")), "the failed email", 30)


def _use_pages(stack: Stack, password: str, chromium: str) -> None:
    """Use the forms and buttons of some pages, so that the audit log has entries and there are alerts."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        page = started.chromium.launch(executable_path=chromium, args=ARGUMENTS).new_page()
        page.goto(stack.url)
        _log_in(page, password)
        for path, filled, presses in (
            ("buckets/1/edit/", {"monthly_limit": "100"}, ["Save"]),
            ("buckets/2/edit/", {"monthly_limit": "1000"}, ["Save"]),
            ("integrations/2/edit/", {"title": "Exchange Online of the bank"}, ["Save"]),
            ("mailboxes/2/", {}, ["Stop", "Start", "Sync now"]),
            ("integrations/1/mailboxes/new/", {"address": "nobody@bank.example"}, ["Add mailbox"]),
            ("integrations/3/edit/", {"client_secret": "expired"}, ["Save"]),
            ("mailboxes/1/", {}, ["Verify"]),
        ):
            page.goto(stack.url + path)
            for field, value in filled.items():
                page.locator(f"[name={field}]").fill(value)
            for name in presses:
                page.get_by_role("button", name=name, exact=True).first.click()
                page.locator(".message").first.wait_for()
        page.get_by_text(" compared: ").wait_for()


def _log_in(page: Any, password: str) -> None:
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Overview").wait_for()


def _take(stack: Stack, password: str, chromium: str, target: Path, pages: Mapping[str, str]) -> None:
    from playwright.sync_api import sync_playwright

    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for width, scheme in itertools.product(WIDTHS, ("light", "dark")):
            size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
            given: Any = {"viewport": size, "color_scheme": scheme}
            page = browser.new_context(**given).new_page()
            page.goto(stack.url)
            page.screenshot(path=target / f"login-{width}-{scheme}.jpg", type="jpeg", quality=QUALITY)
            _log_in(page, password)
            for name, path in pages.items():
                page.goto(stack.url + path)
                page.wait_for_load_state("networkidle")
                picture = target / f"{name}-{width}-{scheme}.jpg"
                page.screenshot(path=picture, full_page=True, type="jpeg", quality=QUALITY)
            if pages is FULL:
                for name, open_page in (
                    ("import-review", _review),
                    ("preview", _preview),
                    ("set-aside-preview", _failed_email),
                ):
                    open_page(page, stack.url)
                    picture = target / f"{name}-{width}-{scheme}.jpg"
                    page.screenshot(path=picture, full_page=True, type="jpeg", quality=QUALITY)


def _take_for_docs(stack: Stack, password: str, chromium: str, target: Path) -> None:
    """Take screenshots of the pages in `DOCS`: only the upper part of each page, so that all screenshots have the same size."""
    from playwright.sync_api import sync_playwright

    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": DOCS_SIZE[0], "height": DOCS_SIZE[1]}, color_scheme="light")
        page.goto(stack.url)
        _log_in(page, password)
        for name in DOCS:
            if name == "preview":
                _preview(page, stack.url)
            else:
                page.goto(stack.url + FULL[name])
                page.wait_for_load_state("networkidle")
            page.screenshot(path=target / f"{name}.jpg", type="jpeg", quality=DOCS_QUALITY)


def _preview(page: Any, url: str) -> None:
    """Open the preview page, upload an email and show its comment."""
    email = {"name": "reply.eml", "mimeType": "message/rfc822", "buffer": REPLY}
    page.goto(url + "preview/")
    page.get_by_label("Email", exact=True).set_input_files(email)
    page.get_by_role("button", name="Show the comment").click()
    page.get_by_text("We agree").first.wait_for()


def _failed_email(page: Any, url: str) -> None:
    """Open the preview of a failed email, which the product fetches from Exchange."""
    page.goto(url + "set-aside/")
    page.get_by_role("link", name="Preview", exact=True).last.click()
    page.wait_for_load_state("networkidle")


def _review(page: Any, url: str) -> None:
    """Open the review page of an import that changes settings and mailboxes."""
    page.goto(url + FULL["integration-json"])
    document = json.loads(page.locator("pre.document").inner_text())
    document["title"] = "Exchange of the trading floor"
    mailboxes = document["configuration"]["mailboxes"]
    mailboxes[0]["folder_denylist"] = [["Inbox", "Private"]]
    mailboxes[1]["email"] = "claims@bank.example"
    mailboxes[1]["colour"] = "green"
    page.goto(url + FULL["import"])
    page.get_by_label("Document").fill(json.dumps(document))
    page.get_by_role("button", name="Show what would change").click()


if __name__ == "__main__":
    sys.exit(main())
