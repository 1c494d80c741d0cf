"""Limit password attempts by user name and browser: after five failures, a wait that doubles with each further failure.

The longest wait is `LONGEST_WAIT`.

IP addresses are never blocked, because all users behind a proxy can have the same address. A browser in which the user
signed in before has a separate counter (see `access.known_browser`), so wrong guesses in other browsers do not block
this browser.

There are at most `SLOTS` counters, one per row. A keyed digest of the user name and the browser selects the row. User
names are not stored, because people sometimes type their password into the name field. The number of rows is limited,
because an attacker can try any number of names.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from access.models import SignInAttempts

FREE_ATTEMPTS = 5
"""Number of consecutive failures that causes the first wait."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""A counter starts again after this time without a failure."""
SLOTS = 1 << 16
"""Maximum number of counters. Users whose digests select the same row share a counter."""


def begin(name: str, browser: str, now: datetime) -> timedelta:
    """Count an attempt before the password is checked, so that parallel attempts cannot bypass the limit.

    Args:
        name: User name as typed.
        browser: Identifier of a known browser; empty for any other browser.
        now: Current time, UTC.

    Returns:
        Zero if the attempt is allowed and was counted. Otherwise the time to wait; the attempt was not counted.
    """
    slot = _slot(name, browser)
    with transaction.atomic():
        SignInAttempts.objects.bulk_create([SignInAttempts(slot=slot, last_at=now)], ignore_conflicts=True)
        row = SignInAttempts.objects.select_for_update().get(slot=slot)
        if row.wait_until is not None and row.wait_until > now:
            return row.wait_until - now
        row.failures = row.failures + 1 if row.last_at > now - FORGOTTEN_AFTER else 1
        row.last_at = now
        row.wait_until = now + _wait(row.failures) if row.failures >= FREE_ATTEMPTS else None
        row.save()
    return timedelta(0)


def succeeded(name: str, browser: str) -> None:
    """Reset the counter after a correct password.

    Args:
        name: User name as typed.
        browser: Identifier of a known browser; empty for any other browser.
    """
    SignInAttempts.objects.filter(slot=_slot(name, browser)).update(failures=0, wait_until=None)


def _wait(failures: int) -> timedelta:
    doubled: timedelta = FIRST_WAIT * 2 ** min(failures - FREE_ATTEMPTS, 10)
    return min(doubled, LONGEST_WAIT)


def _slot(name: str, browser: str) -> int:
    digest = salted_hmac("access.attempts", f"{name.casefold()}\n{browser}", algorithm="sha256").digest()
    return int.from_bytes(digest[:8]) % SLOTS
