"""Fixtures: the running product with its simulators, and a browser whose errors are collected."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from demo.exchange import Control
from demo.ports import free
from demo.processes import Processes
from demo.seeding import seed
from demo.stack import Stack
from tests.journey.browsing import ARGUMENTS, CHROMIUM, logged_in


class StackWithAdmin(Stack):
    """The stack and the password of its administrator."""

    password: str


@pytest.fixture(scope="module")
def stack():
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        made = StackWithAdmin(processes, Path(folder), port=free())
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
    """Errors and warnings of the browser console, such as violations of the Content-Security-Policy; page errors; dialogs."""
    return []


@pytest.fixture(scope="module")
def page(browser, stack, complaints):
    return logged_in(browser, stack.url, "admin", stack.password, complaints)
