"""The means by which every message is reworded: what it touches, and what not."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rewording import Said, _Messages, is_message, reworded

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "text",
    [
        "Exchange is busy and asked to be left alone for a while.",
        "They are waiting for a free worker",
        "Not entered yet: x. Enter it, then start the integration.",
        "no MIME content in it",
    ],
)
def test_a_sentence_is_a_message(text):
    assert is_message(text)


@pytest.mark.parametrize(
    "text",
    [
        "exchange_busy",
        "sync.broke",
        "Message ID Origin",
        "SELECT id FROM sync_copy WHERE size > 3",
        r"AADSTS(\d{4,8})",
        "j M, H:i",
        "receivedDateTime desc",
        "receivedDateTime ge 2026-01-01T00:00:00Z and receivedDateTime le 2026-02-01T00:00:00Z",
    ],
)
def test_what_a_machine_reads_is_no_message(text):
    assert not is_message(text)


def test_a_message_has_other_words_whenever_it_is_said():
    kept = Said("It was stopped by somebody.")
    ways = [str(kept), str(kept), f"{kept}", f"{kept}", reworded("It was stopped by somebody."), kept + ""]
    assert len(set(ways)) == len(ways)
    assert not any("stopped" in way for way in ways)


def test_what_a_message_quotes_stays_and_a_docstring_stays():
    source = '''def say(name):
    """What is said of it."""
    return f"{name} was stopped by somebody."
'''
    tree = ast.fix_missing_locations(_Messages().visit(ast.parse(source)))
    said: dict[str, object] = {"__reworded__": reworded, "__said__": Said}
    exec(compile(tree, "said", "exec"), said)
    say = said["say"]
    assert say.__doc__ == "What is said of it."
    assert "desk@bank.example" in say("desk@bank.example")
    assert "stopped" not in say("desk@bank.example")
    assert say("x") != say("x")


SHOWS = """
from tests import environment
import django
django.setup()
from integrations.errors import BudgetReached
from operations.results import ActionRefused
assert str(BudgetReached("5 a month")) != str(BudgetReached("5 a month"))
assert "limit" not in str(BudgetReached("5 a month"))
assert "5 a month" in str(BudgetReached("5 a month"))
print("reworded")
"""


def test_the_product_itself_is_reworded_where_it_is_asked_for():
    given = {**os.environ, "REWORD": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    told = subprocess.run(
        [sys.executable, "-c", SHOWS], cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )
    assert told.stdout == "reworded\n", told.stderr
