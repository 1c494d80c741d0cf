"""Helpers for tests in a browser: log in, wait, collect errors, and check accessibility."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

CHROMIUM = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PATIENCE = 25_000
"""Maximum time in milliseconds until a change appears on a page."""


def logged_in(browser: Any, url: str, name: str, password: str, complaints: list[str]) -> Any:
    """Return a page in a new browser context, in which this user is logged in.

    Errors and warnings of the console, errors of the page, and dialogs are appended to `complaints`.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Berlin")
    page = context.new_page()
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(url)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(url)
    return page


def wait(page: Any, what: str, done: Callable[[], bool], milliseconds: int = PATIENCE) -> None:
    for _ in range(milliseconds // 200):
        if done():
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"This did not happen within {milliseconds} ms: {what}")


def serious_faults(page: Any) -> list[tuple[str, str]]:
    """Return the serious and critical violations that axe-core finds. For each: the rule, and the first violating element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response
    assert found["passes"], "axe-core checked nothing"
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]
