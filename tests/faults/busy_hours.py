"""`python -m tests.faults.busy_hours`: one of several processes that add to the same hours at the same time.

With `seed`: make the mailbox they have in common. Starts adding when a line comes in, so that all of them start together.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import django

HOURS = 40
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def main() -> None:
    django.setup()
    if sys.argv[1:] == ["seed"]:
        from tests.factories import MailboxFactory

        MailboxFactory()
        return
    add(int(sys.argv[1]))


def add(wait: int) -> None:
    from django.db import transaction

    from mailboxes.models import Mailbox
    from sync.engine.records import RunCounts
    from sync.jobs import activity

    mailbox = Mailbox.objects.get()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(HOURS):
        with transaction.atomic():
            activity.add(mailbox, RunCounts(created=1, updated=2, longest_wait=wait), FIRST + timedelta(hours=number))


if __name__ == "__main__":
    main()
