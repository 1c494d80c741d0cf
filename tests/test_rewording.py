"""`tests.rewording` scrambles messages, and nothing else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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
def test_a_sentence_counts_as_a_message(text):
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
def test_a_code_or_pattern_does_not_count_as_a_message(text):
    assert not is_message(text)


def test_a_message_has_different_words_each_time_it_is_formatted():
    kept = Said("It was stopped by somebody.")
    texts = [str(kept), str(kept), f"{kept}", f"{kept}", reworded("It was stopped by somebody."), kept + ""]
    assert len(set(texts)) == len(texts)
    assert not any("stopped" in text for text in texts)


def test_quoted_values_and_docstrings_are_not_reworded():
    source = '''def say(name):
    """Return a message."""
    return f"{name} was stopped by somebody."
'''
    tree = ast.fix_missing_locations(_Messages().visit(ast.parse(source)))
    namespace: dict[str, Any] = {"__reworded__": reworded, "__said__": Said}
    exec(compile(tree, "module", "exec"), namespace)
    say = namespace["say"]
    assert say.__doc__ == "Return a message."
    assert "desk@bank.example" in say("desk@bank.example")
    assert "stopped" not in say("desk@bank.example")
    assert say("x") != say("x")


SCRIPT = """
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


def test_the_product_is_reworded_with_reword_in_the_environment():
    environment = {**os.environ, "REWORD": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "reworded\n", done.stderr
