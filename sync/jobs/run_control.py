"""The checks between two batches of a sync, and within a slow batch.

A run ends if it lost its lease, or its time slice is over. A run also ends if an admin pressed Stop, a circuit breaker
opened, the AI unit budget is used up, or the shutdown of the worker was requested.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from mailboxes.models import Mailbox
from sync.jobs import connection_breakers
from sync.store.lease import Lease

NOTE_EVERY = 2.0
"""Minimum time between two records of the progress, in seconds. Pages show the progress of a running backfill."""
CHECK_EVERY = 10.0
"""Minimum time between two checks within a batch, in seconds: much less than the lease, and longer than a fast batch."""


class RunControl:
    """The implementation of `sync.engine.ports.Control` for one run.

    Args:
        lease: The lease of the run.
        slice_seconds: Length of the time slice in seconds.
        monotonic: A monotonic clock in seconds.
        is_used_up: Returns whether the AI unit budget of the bucket is used up.
        note: Records the progress of the run for the pages.
        is_trial: Whether the run is the half-open trial of a circuit breaker.
        is_shutting_down: Returns whether the shutdown of the worker was requested.
    """

    def __init__(
        self,
        lease: Lease,
        slice_seconds: float,
        monotonic: Callable[[], float],
        is_used_up: Callable[[], bool] = lambda: False,
        note: Callable[[], None] = lambda: None,
        is_trial: bool = False,
        is_shutting_down: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_shutting_down = is_shutting_down
        self._is_trial = is_trial
        self._is_used_up = is_used_up
        self._note = note
        self._noted_at = monotonic()
        self._lease = lease
        self._monotonic = monotonic
        self._end = monotonic() + slice_seconds
        self._checked_at = float("-inf")

    def keep_going_in_batch(self) -> bool:
        """Return whether the run may continue within a batch. At most one call per `CHECK_EVERY` queries the database.

        Returns:
            False when the run must end.

        Raises:
            LeaseLost: Another worker holds the lease.
        """
        if self._is_shutting_down():
            return False
        return self._monotonic() - self._checked_at < CHECK_EVERY or self.keep_going()

    def keep_going(self) -> bool:
        """Renew the lease, record the progress, and return whether the run may start another batch.

        Returns:
            False when the run must end.

        Raises:
            LeaseLost: Another worker holds the lease.
        """
        self._lease.renew()
        self._checked_at = self._monotonic()
        if self._monotonic() - self._noted_at >= NOTE_EVERY:
            self._noted_at = self._monotonic()
            self._note()
        return not self._is_shutting_down() and self._may_continue() and not self._is_used_up()

    def has_time(self) -> bool:
        """Return whether the time slice is not over."""
        return self._monotonic() < self._end

    def _may_continue(self) -> bool:
        """Return whether the mailbox is enabled. Unless this run is a trial, all circuit breakers must be closed, too."""
        enabled = self._enabled()
        return (enabled if self._is_trial else enabled.filter(connection_breakers.breakers_closed())).exists()

    def stopped(self) -> bool:
        """Return whether the mailbox or its integration was disabled, or the mailbox deleted."""
        return not self._enabled().exists()

    def _enabled(self) -> QuerySet[Mailbox]:
        return Mailbox.objects.filter(pk=self._lease.mailbox_id, enabled=True, integration__enabled=True)

    def require_lease(self, seconds: float) -> None:
        """Check that the lease lasts long enough for the next step; renew it otherwise.

        Args:
            seconds: Seconds that the next step can take.

        Raises:
            LeaseLost: Another worker holds the lease.
        """
        self._lease.require_lease(seconds)
