"""Why an email was set aside, told to an admin."""

import pytest

from integrations.reasons import sentence


@pytest.mark.parametrize(
    ("stage", "reason", "told"),
    [
        ("fetch", "ErrorItemCorrupt", "The email is damaged in Exchange. (ErrorItemCorrupt)"),
        ("fetch", "ErrorNobodyKnows", "Exchange cannot hand this email out. (ErrorNobodyKnows)"),
        ("fetch", "exchange_timed_out", "Exchange did not answer in time."),
        (
            "transform",
            "no_date: it bears neither a date nor a time of arrival",
            "No comment can be made of it: it bears neither a date nor a time of arrival.",
        ),
        ("push", "a subject may not be empty", "Re:infer refused this comment. (a subject may not be empty)"),
        ("worker", "killed", "A worker ended while it worked on this email."),
    ],
)
def test_a_reason_is_a_sentence_and_an_unknown_code_stays_in_sight(stage, reason, told):
    assert sentence(stage, reason) == told


def test_the_other_side_cannot_turn_the_words_behind_its_own():
    assert sentence("push", "evil \u202e words").endswith("\u202c)")
