"""A running product with its simulators, and a browser that reports every fault of a page."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from demo.exchange import Control
from demo.ports import free
from demo.processes import Processes
from demo.seeding import seed
from demo.stack import Stack

CHROMIUM = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def stack():
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        made = Stack(processes, Path(folder), port=free())
        made.prepare(["--generate", "3/12"])
        made.password = seed(made)
        made.product("start")
        made.run()
        yield made


@pytest.fixture(scope="module")
def exchange(stack):
    return Control(stack.simulators["exchange"]["control_url"])


@pytest.fixture(scope="module")
def reinfer(stack):
    return Control(stack.simulators["reinfer"]["control_url"])


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here: install Debian's package chromium.")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@pytest.fixture(scope="module")
def complaints():
    """What the browser's console says: a page that breaks its own policy says so there."""
    return []


@pytest.fixture(scope="module")
def page(browser, stack, complaints):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    made = context.new_page()
    made.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("dialog", lambda dialog: (complaints.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    made.goto(stack.url)
    made.get_by_label("Username").fill("admin")
    made.get_by_label("Password").fill(stack.password)
    made.get_by_role("button", name="Log in").click()
    made.wait_for_url(stack.url)
    return made
