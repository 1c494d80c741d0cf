"""Convert an email in the current process. Any error is returned as a reason. The conversion stops at its deadline."""

from __future__ import annotations

from collections.abc import Callable

from conversion.deadline.timer import ConversionDeadline, DeadlineExceeded, within
from conversion.error_location import error_location
from conversion.limits import Limits
from conversion.transform import Converted, EmailLocation, NotConvertible, convert
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Email

Outcome = Converted | NotConvertible
Convert = Callable[[Email, EmailLocation], Outcome]


def convert_in_process(email: Email, place: EmailLocation, limits: Limits, deadline: ConversionDeadline) -> Outcome:
    """Convert an email. `can_interrupt()` must be true.

    Raises only `SystemExit` and `KeyboardInterrupt`, which signal handlers raise to end the process.

    Args:
        email: The email.
        place: Its mailbox and folder.
        limits: The limits of the conversion.
        deadline: The time limits of the conversion.

    Returns:
        The comment, or the reason why there is none.
    """
    try:
        return within(deadline, lambda: convert(email, place, limits))
    except DeadlineExceeded as error:
        return too_slow(deadline, error_location(error))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # an error of any library must fail this email only
        # Text and arguments of the error are left out, because they may quote the email.
        return failed(f"{type(error).__name__} at {error_location(error) or 'an unknown place'}")


def too_slow(deadline: ConversionDeadline, location: str = "") -> NotConvertible:
    """Return the outcome of a conversion that was stopped at its deadline.

    Args:
        deadline: The time limits.
        location: Where the code was interrupted, if known.

    Returns:
        The reason.
    """
    at = f" at {location}" if location else ""
    return NotConvertible(DeadLetterKind.CONVERSION_DEADLINE, f"longer than {deadline.cpu:g} s{at}")


def failed(detail: str) -> NotConvertible:
    """Return the outcome of a conversion that failed.

    Args:
        detail: Kind and location of the error, without content of the email.

    Returns:
        The reason.
    """
    return NotConvertible(DeadLetterKind.CONVERSION_FAILED, detail)
