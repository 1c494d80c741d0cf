"""The lease on a mailbox: one worker at a time, and the database, by its own clock, is the referee."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Q

from sync.engine.ports import LeaseLost
from sync.models import MailboxState

Clock = Callable[[], datetime]


def database_now() -> datetime:
    """The time by the database's clock: the same for every worker, whatever their own clocks say."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT STATEMENT_TIMESTAMP()")
            now: datetime = cursor.fetchone()[0]
            return now
        cursor.execute("SELECT STRFTIME('%Y-%m-%dT%H:%M:%f', 'NOW')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


class Lease:
    """Held by one run. Whoever has not the token of the row is nobody, and what he writes is void."""

    def __init__(self, mailbox_id: int, token: uuid.UUID, length: timedelta, clock: Clock) -> None:
        self.mailbox_id = mailbox_id
        self.token = token
        self.length = length
        self.clock = clock

    @classmethod
    def take(cls, mailbox_id: int, length: timedelta, clock: Clock = database_now) -> Lease | None:
        """Take the lease by one conditional update; None while another worker holds it."""
        token, now = uuid.uuid4(), clock()
        taken = (
            MailboxState.objects.filter(pk=mailbox_id)
            .filter(Q(lease_until=None) | Q(lease_until__lte=now))
            .update(lease_token=token, lease_until=now + length, queued_until=None)
        )
        return cls(mailbox_id, token, length, clock) if taken else None

    def renew(self) -> None:
        """Hold it for its whole length from now on. Raises `LeaseLost`."""
        now = self.clock()
        held = MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token, lease_until__gt=now)
        if not held.update(lease_until=now + self.length):
            raise LeaseLost

    def still_mine(self, seconds: float) -> None:
        """Raises `LeaseLost` unless it holds for so many seconds more. Renews it where it would not."""
        now = self.clock()
        until = (
            MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token)
            .values_list("lease_until", flat=True)
            .first()
        )
        if until is None or until <= now:
            raise LeaseLost
        if until <= now + timedelta(seconds=seconds):
            self.renew()

    def demand(self) -> None:
        """Inside a transaction, before its first write: lock the row and raise `LeaseLost` unless the token is ours."""
        row = MailboxState.objects.select_for_update().filter(pk=self.mailbox_id, lease_token=self.token)
        if not row.exists():
            raise LeaseLost

    def release(self) -> None:
        """Give it back. Nothing happens when it was lost."""
        MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token).update(
            lease_token=None, lease_until=None
        )
