"""Converts an email in this process: whatever goes wrong, out comes a comment or a reason, and it ends at its deadline."""

from __future__ import annotations

from collections.abc import Callable

from conversion.deadline.timer import ConversionDeadline, DeadlineExceeded, within
from conversion.error_location import place_of
from conversion.limits import Limits
from conversion.transform import Converted, EmailLocation, NotConvertible, convert
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Email

Outcome = Converted | NotConvertible
Convert = Callable[[Email, EmailLocation], Outcome]


def convert_here(email: Email, place: EmailLocation, limits: Limits, deadline: ConversionDeadline) -> Outcome:
    """The comment that the email makes, or why it makes none.

    Raises only what ends the process: `SystemExit` and `KeyboardInterrupt`, as handlers of signals raise them.

    Only where `can_interrupt`.
    """
    try:
        return within(deadline, lambda: convert(email, place, limits))
    except DeadlineExceeded as error:
        return too_slow(deadline, place_of(error))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # whatever a library raises must cost this email alone
        # Neither its text nor its arguments: they may quote the mail.
        return failed(f"{type(error).__name__} at {place_of(error) or 'an unknown place'}")


def too_slow(deadline: ConversionDeadline, place: str = "") -> NotConvertible:
    """It was terminated at its deadline."""
    at = f" at {place}" if place else ""
    return NotConvertible(DeadLetterKind.CONVERSION_DEADLINE, f"longer than {deadline.cpu:g} s{at}")


def failed(what: str) -> NotConvertible:
    """The conversion failed. `what`: the kind and the place of the error, and nothing of the email."""
    return NotConvertible(DeadLetterKind.CONVERSION_FAILED, what)
