"""`python -m demo.screenshots [DIR]`: every page of the running demo, wide and narrow, light and dark, as pictures."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from demo.exchange import Control
from demo.life import Life
from demo.ports import free
from demo.processes import Processes
from demo.seeding import seed
from demo.stack import Stack

PAGES = {
    "overview": "",
    "integrations": "integrations/",
    "integration": "integrations/1/",
    "integration-form": "integrations/1/edit/",
    "mailbox": "mailboxes/1/",
    "mailbox-form": "mailboxes/1/edit/",
    "destination": "destinations/1/",
    "runs": "runs/",
    "preview": "preview/",
    "errors": "errors/",
    "history": "history/",
}
VIEWS = {"": (1280, 860, "light"), "-dark": (1280, 860, "dark"), "-phone": (390, 844, "light")}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def main() -> int:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium here: install Debian's package chromium.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        stack = Stack(processes, Path(folder), port=free())
        stack.prepare(["--generate", "7/40"])
        password = seed(stack)
        stack.product("start")
        stack.run()
        _live(stack)
        _take(stack, password, chromium, target)
    return 0


def _live(stack: Stack) -> None:
    """Until every mailbox is up to date, and some mail has moved."""
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
    stack.wait(lambda: any(box["aside"] for box in stack.product("figures")), "the set-aside email", 30)


def _take(stack: Stack, password: str, chromium: str, target: Path) -> None:
    from playwright.sync_api import sync_playwright

    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for suffix, (width, height, scheme) in VIEWS.items():
            given: Any = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
            page = browser.new_context(**given).new_page()
            page.goto(stack.url)
            page.get_by_label("Username").fill("admin")
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Log in").click()
            for name, path in PAGES.items():
                page.goto(stack.url + path)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=target / f"{name}{suffix}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
