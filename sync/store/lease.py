"""The lease on a mailbox: one worker at a time, decided by the database and its clock."""

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
    """Return the time of the database's clock, which is the same for every worker.

    Returns:
        The time, in UTC.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT STATEMENT_TIMESTAMP()")
            now: datetime = cursor.fetchone()[0]
            return now
        cursor.execute("SELECT STRFTIME('%Y-%m-%dT%H:%M:%f', 'NOW')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


class Lease:
    """A lease that one sync run holds on a mailbox. A write is rejected when its token is not the token in the row.

    Attributes:
        mailbox_id: The key of the mailbox.
        token: The token of this lease.
        length: How long a renewal lasts.
        clock: Returns the present time of the database.
    """

    def __init__(self, mailbox_id: int, token: uuid.UUID, length: timedelta, clock: Clock) -> None:
        """Create a lease that is stored already: see `take`.

        Args:
            mailbox_id: The key of the mailbox.
            token: The stored token.
            length: How long a renewal lasts.
            clock: Returns the present time of the database.
        """
        self.mailbox_id = mailbox_id
        self.token = token
        self.length = length
        self.clock = clock

    @classmethod
    def take(cls, mailbox_id: int, length: timedelta, clock: Clock = database_now) -> Lease | None:
        """Take the lease with one conditional update.

        Args:
            mailbox_id: The key of the mailbox.
            length: How long it lasts without a renewal.
            clock: Returns the present time of the database.

        Returns:
            The lease; None while another worker holds it.
        """
        token, now = uuid.uuid4(), clock()
        taken = (
            MailboxState.objects.filter(pk=mailbox_id)
            .filter(Q(lease_until=None) | Q(lease_until__lte=now))
            .update(lease_token=token, lease_until=now + length, queued_until=None)
        )
        return cls(mailbox_id, token, length, clock) if taken else None

    def renew(self) -> None:
        """Extend the lease to its full length from now on.

        Raises:
            LeaseLost: The lease ended or another worker has it.
        """
        now = self.clock()
        row = MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token, lease_until__gt=now)
        if not row.update(lease_until=now + self.length):
            raise LeaseLost

    def require_lease(self, seconds: float) -> None:
        """Require that the lease lasts long enough, and renew it if it would not.

        Args:
            seconds: How long it has to last.

        Raises:
            LeaseLost: The lease ended or another worker has it.
        """
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
        """Lock the row inside a transaction, before its first write, and require that the token is unchanged.

        Raises:
            LeaseLost: Another worker has the lease.
        """
        row = MailboxState.objects.select_for_update().filter(pk=self.mailbox_id, lease_token=self.token)
        if not row.exists():
            raise LeaseLost

    def release(self) -> None:
        """Give the lease back. A lost lease is left alone."""
        MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token).update(
            lease_token=None, lease_until=None
        )
