"""How often somebody may try a password: five times, and then with a wait that doubles, for each user name by itself.

An address is never locked out, since behind a proxy it is everybody's. A browser in which the user logged in before counts
by itself (a signed cookie says so), so that a stranger who guesses does not lock the owner out. What is counted stands in at
most `SLOTS` rows, under the keyed digest of the name: people type passwords where their name belongs, and a guesser can make
up names without end.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from access.models import SignInAttempts

FREE = 5
"""Failures in a row before there is a wait."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""Without another failure."""
SLOTS = 1 << 16


def begin(name: str, browser: str, now: datetime) -> timedelta:
    """Count an attempt before its password is looked at, so that many at once are no way around. Zero when it may be made;
    else how long to wait, and then it does not count."""
    slot = _slot(name, browser)
    with transaction.atomic():
        SignInAttempts.objects.bulk_create([SignInAttempts(slot=slot, last_at=now)], ignore_conflicts=True)
        row = SignInAttempts.objects.select_for_update().get(slot=slot)
        if row.wait_until is not None and row.wait_until > now:
            return row.wait_until - now
        row.failures = row.failures + 1 if row.last_at > now - FORGOTTEN_AFTER else 1
        row.last_at = now
        row.wait_until = now + _wait(row.failures) if row.failures >= FREE else None
        row.save()
    return timedelta(0)


def succeeded(name: str, browser: str) -> None:
    """The password was right: what went before is forgotten."""
    SignInAttempts.objects.filter(slot=_slot(name, browser)).update(failures=0, wait_until=None)


def _wait(failures: int) -> timedelta:
    doubled: timedelta = FIRST_WAIT * 2 ** min(failures - FREE, 10)
    return min(doubled, LONGEST_WAIT)


def _slot(name: str, browser: str) -> int:
    digest = salted_hmac("access.attempts", f"{name.casefold()}\n{browser}", algorithm="sha256").digest()
    return int.from_bytes(digest[:8]) % SLOTS
