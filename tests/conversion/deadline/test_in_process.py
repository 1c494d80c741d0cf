"""Conversion in the same process. An error becomes a reason with the class and location of the error, without its text.

`SystemExit` and `KeyboardInterrupt` are raised.
"""

from __future__ import annotations

import email.utils
import re

import pytest

from conversion import cleaning
from conversion.deadline.in_process import convert_in_process
from conversion.deadline.timer import ConversionDeadline
from conversion.limits import DEFAULT_LIMITS
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId
from tests.conversion.deadline.slow import MARK, planted
from tests.mails import mail

SECRET = "the rent of Ann Field"


class Panic(BaseException):
    """An exception like the one that a panic in an extension module written in Rust raises."""


def outcome(mime: bytes, cpu: float = 20):
    email = Email(Change(ChangeKind.CREATED, FolderId("f"), ItemId("i")), mime, ItemDetails())
    return convert_in_process(
        email, EmailLocation("desk@bank.example", ("Inbox",)), DEFAULT_LIMITS, ConversionDeadline(cpu, 200)
    )


def raising(error):
    def raises(*given, **named):
        raise error

    return raises


@pytest.mark.parametrize("error", [RecursionError, MemoryError, ValueError, AssertionError, LookupError, Panic])
def test_an_error_becomes_a_reason_with_its_class_and_location_and_without_its_text(monkeypatch, error):
    monkeypatch.setattr(email.utils, "getaddresses", raising(error(SECRET)))
    result = outcome(mail("a"))
    assert isinstance(result, NotConvertible)
    assert result.kind is DeadLetterKind.CONVERSION_FAILED
    assert re.fullmatch(rf"{error.__name__} at conversion\.mime\.headers:\d+", result.detail)


def test_an_endless_recursion_becomes_a_reason(monkeypatch):
    def deeper(*given, **named):
        return deeper()

    monkeypatch.setattr(email.utils, "getaddresses", deeper)
    assert outcome(mail("a")).detail.startswith("RecursionError at conversion.mime.headers:")
    monkeypatch.undo()
    assert isinstance(outcome(mail("a")), Converted)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_an_exception_that_ends_the_process_is_raised(monkeypatch, error):
    monkeypatch.setattr(email.utils, "getaddresses", raising(error()))
    with pytest.raises(error):
        outcome(mail("a"))


def test_a_conversion_that_does_not_end_is_interrupted_and_its_location_is_named(monkeypatch):
    monkeypatch.setattr("conversion.transform.clean", planted(cleaning.clean))
    result = outcome(mail("a", subject=MARK), cpu=0.3)
    assert isinstance(result, NotConvertible)
    assert result.kind is DeadLetterKind.CONVERSION_DEADLINE
    assert re.fullmatch(r"longer than 0\.3 s at conversion\.transform:\d+", result.detail)
