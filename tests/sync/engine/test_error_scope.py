"""Whose fault a failure is: one test for each row of the table, in its order, and what holds of the table as a whole."""

import pytest

from integrations.errors import WIDEST, Evidence, Scope, all_errors
from sync.engine.error_scope import TABLE, Action, ConnectionEvidence, decide

E, S, A = Evidence, Scope, Action

CASES: list[tuple[str, Evidence, ConnectionEvidence, Scope, Action]] = [
    ("no response is of the connection", E.TRANSPORT, ConnectionEvidence(), S.CONNECTION, A.OPEN),
    ("a setting of ours is of the connection", E.SETTINGS, ConnectionEvidence(), S.CONNECTION, A.OPEN),
    (
        "a password that a neighbour signed in with since is of this mailbox, whatever else is refused",
        E.PASSWORD,
        ConnectionEvidence(refused_alone=True, has_others=True, refused_elsewhere=True, held_for=E.PASSWORD),
        S.MAILBOX,
        A.PAUSE,
    ),
    (
        "a password that a second mailbox is refused is of the connection",
        E.PASSWORD,
        ConnectionEvidence(refused_elsewhere=True, has_others=True),
        S.CONNECTION,
        A.OPEN,
    ),
    ("a password with nobody else to ask is of the connection", E.PASSWORD, ConnectionEvidence(), S.CONNECTION, A.OPEN),
    (
        "a password that is refused first is probed",
        E.PASSWORD,
        ConnectionEvidence(has_others=True),
        S.CONNECTION,
        A.TRIAL,
    ),
    (
        "a response that two are refused by is of the connection",
        E.RESPONSE,
        ConnectionEvidence(refused_elsewhere=True),
        S.CONNECTION,
        A.OPEN,
    ),
    (
        "a response that one is refused by is of this mailbox",
        E.RESPONSE,
        ConnectionEvidence(has_others=True),
        S.MAILBOX,
        A.PAUSE,
    ),
    (
        "an overload of many in a row is of the connection",
        E.OVERLOAD,
        ConnectionEvidence(in_a_row=4),
        S.CONNECTION,
        A.OPEN,
    ),
    (
        "an overload of a few is of each mailbox",
        E.OVERLOAD,
        ConnectionEvidence(in_a_row=3, held_for=E.RESPONSE),
        S.MAILBOX,
        A.RETRY,
    ),
    ("a mailbox that moves is tried again", E.MAILBOX, ConnectionEvidence(passes=True), S.MAILBOX, A.RETRY),
    (
        "a mailbox that may not be read pauses",
        E.MAILBOX,
        ConnectionEvidence(refused_elsewhere=True),
        S.MAILBOX,
        A.PAUSE,
    ),
    ("a folder is listed again", E.FOLDER, ConnectionEvidence(), S.FOLDER, A.LIST_AGAIN),
    ("a folder that may not be read is left out", E.FOLDER_REFUSED, ConnectionEvidence(), S.FOLDER, A.PAUSE),
    ("a worker that cannot even ask leaves the mailbox to others", E.PROCESS, ConnectionEvidence(), S.PROCESS, A.RETRY),
    ("a destination waits as a whole", E.DESTINATION, ConnectionEvidence(), S.DESTINATION, A.OPEN),
    ("a bucket waits as a whole", E.BUCKET, ConnectionEvidence(), S.BUCKET, A.OPEN),
    ("a fault of ours delays one mailbox", E.OURS, ConnectionEvidence(), S.MAILBOX, A.RETRY),
]


@pytest.mark.parametrize(
    ("evidence", "seen", "fault", "action"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_row_says_whose_fault_it_is_and_what_is_next(evidence, seen, fault, action):
    row = decide(evidence, seen)
    assert (row.fault, row.action) == (fault, action)


def test_each_row_has_its_case():
    assert [decide(evidence, seen) for _, evidence, seen, *_ in CASES] == list(TABLE)


def test_a_connection_that_waits_for_an_overload_waits_on_while_a_probe_meets_it_again():
    assert decide(E.OVERLOAD, ConnectionEvidence(held_for=E.OVERLOAD)).fault is Scope.CONNECTION


def test_whatever_was_seen_there_is_an_answer():
    assert {row.evidence for row in TABLE} == set(Evidence)
    for evidence in Evidence:
        assert decide(evidence) in TABLE


def test_no_error_stops_more_than_its_evidence_allows():
    for error in all_errors():
        assert error.scope is WIDEST[error.evidence], error.kind


def test_whoever_is_paused_is_told_so():
    for row in TABLE:
        assert bool(row.paused) is (row.evidence is not Evidence.FOLDER), row
        assert row.then.endswith("."), row
