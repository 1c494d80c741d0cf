"""The lease on a mailbox: only one worker at a time syncs it. Times are those of the database's clock."""

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
    """A lease that one sync run holds on a mailbox. Writes are rejected when the token in the row is another one.

    Attributes:
        mailbox_id: The key of the mailbox.
        token: The token of this lease.
        length: Time from each renewal to the end of the lease.
        clock: Returns the present time of the database.
    """

    def __init__(self, mailbox_id: int, token: uuid.UUID, length: timedelta, clock: Clock) -> None:
        """Create the object for a lease that is already stored. Use `take` to acquire a lease.

        Args:
            mailbox_id: The key of the mailbox.
            token: The stored token.
            length: Time from each renewal to the end of the lease.
            clock: Returns the present time of the database.
        """
        self.mailbox_id = mailbox_id
        self.token = token
        self.length = length
        self.clock = clock

    @classmethod
    def take(cls, mailbox_id: int, length: timedelta, clock: Clock = database_now) -> Lease | None:
        """Acquire the lease with one conditional update.

        Args:
            mailbox_id: The key of the mailbox.
            length: Time after which the lease ends without a renewal.
            clock: Returns the present time of the database.

        Returns:
            The lease; None while another worker holds it, or if the mailbox has no state.
        """
        token, now = uuid.uuid4(), clock()
        taken = (
            MailboxState.objects.filter(pk=mailbox_id)
            .filter(Q(lease_until=None) | Q(lease_until__lte=now))
            .update(lease_token=token, lease_until=now + length, queued_until=None)
        )
        return cls(mailbox_id, token, length, clock) if taken else None

    def renew(self) -> None:
        """Extend the lease: it ends after its full length from now.

        Raises:
            LeaseLost: The lease ended, or another worker holds it.
        """
        now = self.clock()
        row = MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token, lease_until__gt=now)
        if not row.update(lease_until=now + self.length):
            raise LeaseLost

    def require_lease(self, seconds: float) -> None:
        """Require the lease for some time. Renew it if it would end earlier.

        Args:
            seconds: How long the lease has to last from now.

        Raises:
            LeaseLost: The lease ended, or another worker holds it.
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
        """Lock the row before the first write of a transaction, and require that the token is unchanged.

        A lease that has expired is sufficient, as long as no other worker took it.

        Raises:
            LeaseLost: The lease was released, another worker took it, or the mailbox was deleted.
        """
        row = MailboxState.objects.select_for_update().filter(pk=self.mailbox_id, lease_token=self.token)
        if not row.exists():
            raise LeaseLost

    def release(self) -> None:
        """Release the lease. Does nothing if the lease was lost."""
        MailboxState.objects.filter(pk=self.mailbox_id, lease_token=self.token).update(
            lease_token=None, lease_until=None
        )
