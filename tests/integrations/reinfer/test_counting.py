"""Which answers to a `sync` request confirm that every comment was stored."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.reinfer.counting import accounts_for


@pytest.mark.parametrize(
    "answer",
    [
        {"new": 2, "updated": 0, "updated_properties_only": 0, "updated_text_changed": 0, "unchanged": 0},
        {"new": 1, "updated": 1, "unchanged": 0},
        {"new": 0, "updated": 0, "unchanged": 2},
        {"new": 2},
        {"new": 1, "unchanged": 1, "updated_properties_only": 7, "more": "of something else"},
    ],
)
def test_counts_that_add_up_account_for_two_comments(answer: dict[str, Any]) -> None:
    assert accounts_for(answer, 2)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": "ok"},
        {"new": 1},
        {"new": 1, "updated": 0, "unchanged": 0},
        {"new": 3, "updated": 0, "unchanged": 0},
        {"updated_properties_only": 1, "updated_text_changed": 1},
        {"new": "2", "updated": 0, "unchanged": 0},
        {"new": 2.0},
        {"new": 2, "updated": None},
        {"new": True, "updated": 1},
        {"new": 3, "updated": -1},
        {"new": [1, 2]},
    ],
)
def test_missing_or_wrong_counts_do_not_account_for_two_comments(answer: dict[str, Any]) -> None:
    assert not accounts_for(answer, 2)
