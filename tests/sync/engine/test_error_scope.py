"""Tests of the decision table for failures: one case for each row, in order, and properties of the whole table."""

import pytest

from integrations.errors import WIDEST, Evidence, Scope, all_errors
from sync.engine.error_scope import TABLE, Action, ConnectionEvidence, decide

E, S, A = Evidence, Scope, Action

CASES: list[tuple[str, Evidence, ConnectionEvidence, Scope, Action]] = [
    ("without a response, the connection is at fault", E.TRANSPORT, ConnectionEvidence(), S.CONNECTION, A.OPEN),
    ("for wrong settings, the connection is at fault", E.SETTINGS, ConnectionEvidence(), S.CONNECTION, A.OPEN),
    (
        "for a password that has worked for another mailbox since, the mailbox is at fault",
        E.PASSWORD,
        ConnectionEvidence(refused_alone=True, has_others=True, refused_elsewhere=True, breaker_evidence=E.PASSWORD),
        S.MAILBOX,
        A.PAUSE,
    ),
    (
        "for a password that is refused for two mailboxes, the connection is at fault",
        E.PASSWORD,
        ConnectionEvidence(refused_elsewhere=True, has_others=True),
        S.CONNECTION,
        A.OPEN,
    ),
    (
        "for a password without another mailbox for a trial, the connection is at fault",
        E.PASSWORD,
        ConnectionEvidence(),
        S.CONNECTION,
        A.OPEN,
    ),
    (
        "the first refusal of a password causes a trial",
        E.PASSWORD,
        ConnectionEvidence(has_others=True),
        S.CONNECTION,
        A.TRIAL,
    ),
    (
        "for a refusal of two mailboxes, the connection is at fault",
        E.RESPONSE,
        ConnectionEvidence(refused_elsewhere=True),
        S.CONNECTION,
        A.OPEN,
    ),
    (
        "for a refusal of one mailbox, the mailbox is at fault",
        E.RESPONSE,
        ConnectionEvidence(has_others=True),
        S.MAILBOX,
        A.PAUSE,
    ),
    (
        "for an overload of many mailboxes in a row, the connection is at fault",
        E.OVERLOAD,
        ConnectionEvidence(in_a_row=4),
        S.CONNECTION,
        A.OPEN,
    ),
    (
        "for an overload of a few mailboxes, each mailbox is at fault",
        E.OVERLOAD,
        ConnectionEvidence(in_a_row=3, breaker_evidence=E.RESPONSE),
        S.MAILBOX,
        A.RETRY,
    ),
    ("a temporary error of a mailbox is retried", E.MAILBOX, ConnectionEvidence(passes=True), S.MAILBOX, A.RETRY),
    (
        "a mailbox without access pauses",
        E.MAILBOX,
        ConnectionEvidence(refused_elsewhere=True),
        S.MAILBOX,
        A.PAUSE,
    ),
    ("a folder is listed again", E.FOLDER, ConnectionEvidence(), S.FOLDER, A.LIST_AGAIN),
    ("a refused folder is left out", E.FOLDER_REFUSED, ConnectionEvidence(), S.FOLDER, A.PAUSE),
    (
        "after an error of a worker process, other workers sync the mailbox",
        E.PROCESS,
        ConnectionEvidence(),
        S.PROCESS,
        A.RETRY,
    ),
    (
        "for an error of a destination, all of its mailboxes wait",
        E.DESTINATION,
        ConnectionEvidence(),
        S.DESTINATION,
        A.OPEN,
    ),
    ("for an error of a bucket, all of its mailboxes wait", E.BUCKET, ConnectionEvidence(), S.BUCKET, A.OPEN),
    ("an error of this product delays one mailbox", E.OURS, ConnectionEvidence(), S.MAILBOX, A.RETRY),
]


@pytest.mark.parametrize(
    ("evidence", "seen", "fault", "action"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_row_names_the_part_at_fault_and_the_action(evidence, seen, fault, action):
    row = decide(evidence, seen)
    assert (row.fault, row.action) == (fault, action)


def test_each_row_has_a_case_in_the_same_order():
    assert [decide(evidence, seen) for _, evidence, seen, *_ in CASES] == list(TABLE)


def test_a_connection_stays_at_fault_while_a_trial_fails_with_an_overload():
    assert decide(E.OVERLOAD, ConnectionEvidence(breaker_evidence=E.OVERLOAD)).fault is Scope.CONNECTION


def test_every_evidence_has_a_row():
    assert {row.evidence for row in TABLE} == set(Evidence)
    for evidence in Evidence:
        assert decide(evidence) in TABLE


def test_the_scope_of_every_error_is_that_of_its_evidence():
    for error in all_errors():
        assert error.scope is WIDEST[error.evidence], error.kind


def test_every_row_has_its_texts():
    for row in TABLE:
        assert bool(row.paused) is (row.evidence is not Evidence.FOLDER), row
        assert row.then.endswith("."), row
