"""One of several processes that add counts to the same hours at the same time: `python -m tests.faults.busy_hours WAIT`.

The process prints `ready` and waits for a line on standard input, so that all processes begin together. `WAIT` is the value of
`longest_wait` that the process adds to each hour. With the argument `seed` instead of `WAIT`, the process only creates the
mailbox that all processes use.
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
