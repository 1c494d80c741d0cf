"""Conversion in a child process, which cannot block its parent."""

from __future__ import annotations

import os
import threading
import time

import pytest

from conversion.deadline import child_process
from conversion.deadline.child_process import ConversionProcess, TooManyConversions
from conversion.deadline.timer import ConversionDeadline
from conversion.limits import DEFAULT_LIMITS
from conversion.transform import Converted, EmailLocation, convert
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from tests.conversion.deadline.slow import MARK
from tests.mails import mail

PLACE = EmailLocation("desk@bank.example", ("Inbox",))


@pytest.fixture
def faulty(monkeypatch):
    monkeypatch.setattr(child_process, "CHILD", "tests.conversion.deadline.faulty_child")


def email_of(subject: str) -> Email:
    return Email(Change(ChangeKind.CREATED, FolderId("f"), ItemId("i")), mail("a", subject=subject), ItemDetails())


def outcome(child: ConversionProcess, subject: str, cpu: float = 1, wall: float = 60):
    return child.convert(email_of(subject), PLACE, DEFAULT_LIMITS, ConversionDeadline(cpu, wall))


def test_the_child_process_makes_the_same_comment_as_its_parent():
    with ConversionProcess(wait=True) as child:
        assert outcome(child, "Rent") == convert(email_of("Rent"), PLACE)


def test_the_child_process_ends_with_its_context():
    with ConversionProcess(wait=True) as child:
        outcome(child, "Rent")
        process = child._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() == 0


@pytest.mark.parametrize(
    ("subject", "kind", "detail"),
    [
        (MARK, DeadLetterKind.CONVERSION_DEADLINE, "longer than 1 s at "),
        ("c-code", DeadLetterKind.CONVERSION_DEADLINE, "longer than 1 s"),
        ("killed", DeadLetterKind.CONVERSION_FAILED, "its process ended with signal 9"),
        ("memory", DeadLetterKind.CONVERSION_FAILED, "MemoryError at conversion.transform:"),
    ],
)
def test_an_email_that_breaks_the_child_gets_a_reason_and_the_next_email_becomes_a_comment(
    faulty, subject, kind, detail
):
    with ConversionProcess(wait=True) as child:
        result = outcome(child, subject)
        assert result.kind is kind
        assert result.detail.startswith(detail)
        assert isinstance(outcome(child, "Rent"), Converted)


def test_a_child_that_does_not_respond_is_ended_at_the_wall_clock_limit(faulty, monkeypatch):
    monkeypatch.setattr(child_process, "START_SECONDS", 0.5)
    with ConversionProcess(wait=True) as child:
        begun = time.monotonic()
        assert outcome(child, "c-code", cpu=300, wall=0.5).kind is DeadLetterKind.CONVERSION_DEADLINE
        assert time.monotonic() - begun < 20


def test_the_child_gets_no_secrets_of_its_parent(faulty, monkeypatch):
    monkeypatch.setenv("ENCRYPTION_KEYS", "key")
    monkeypatch.setenv("DATABASE_URL", "postgres://x")
    with ConversionProcess(wait=True) as child:
        variables = outcome(child, "environment").detail
    assert "ENCRYPTION_KEYS" not in variables
    assert "DATABASE_URL" not in variables
    assert "PATH" in variables


@pytest.mark.long
def test_the_number_of_concurrent_conversions_is_limited_and_others_fail_or_wait(faulty):
    outcomes = []

    def convert_slowly():
        with ConversionProcess(wait=True) as child:
            outcomes.append(outcome(child, MARK, cpu=2))

    threads = [threading.Thread(target=convert_slowly) for _ in range(child_process.AT_ONCE)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while child_process._places._value and time.monotonic() < deadline:
        time.sleep(0.01)
    with ConversionProcess(wait=False) as child, pytest.raises(TooManyConversions):
        outcome(child, "Rent")
    with ConversionProcess(wait=True) as child:
        assert isinstance(outcome(child, "Rent"), Converted)
    for thread in threads:
        thread.join()
    assert [one.kind for one in outcomes] == [DeadLetterKind.CONVERSION_DEADLINE] * child_process.AT_ONCE


def test_no_file_descriptor_stays_open_after_use():
    def count():
        return len(os.listdir("/proc/self/fd"))

    with ConversionProcess(wait=True) as child:
        outcome(child, "Rent")
    before = count()
    for _ in range(3):
        with ConversionProcess(wait=True) as child:
            outcome(child, "Rent")
    assert count() == before
