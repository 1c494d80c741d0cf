"""Between two batches, and within a slow one: is the lease still ours, is the slice of time over, did somebody press Stop, must
this worker leave?"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from mailboxes.models import Mailbox
from sync.jobs import connection_breakers
from sync.store.lease import Lease

NOTE_EVERY = 2.0
"""Seconds: as often as somebody who watches a backfill wants to see it move."""
LOOK_EVERY = 10.0
"""Seconds between two looks from within a batch: far less than the lease, and nothing for a batch that takes milliseconds."""


class RunControl:
    """See `sync.engine.ports.Control`. `monotonic` gives seconds; `is_used_up` says whether the bucket's budget is;
    `note` writes down for people how far the run is; `probes` says that it was sent to see whether a hold is over;
    `is_leaving` says whether the worker was told to end."""

    def __init__(
        self,
        lease: Lease,
        slice_seconds: float,
        monotonic: Callable[[], float],
        is_used_up: Callable[[], bool] = lambda: False,
        note: Callable[[], None] = lambda: None,
        probes: bool = False,
        is_leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_leaving = is_leaving
        self._probes = probes
        self._is_used_up = is_used_up
        self._note = note
        self._noted_at = monotonic()
        self._lease = lease
        self._monotonic = monotonic
        self._end = monotonic() + slice_seconds
        self._looked_at = float("-inf")

    def keep_going_within(self) -> bool:
        if self._is_leaving():
            return False
        return self._monotonic() - self._looked_at < LOOK_EVERY or self.keep_going()

    def keep_going(self) -> bool:
        self._lease.renew()
        self._looked_at = self._monotonic()
        if self._monotonic() - self._noted_at >= NOTE_EVERY:
            self._noted_at = self._monotonic()
            self._note()
        return not self._is_leaving() and self._may_go_on() and not self._is_used_up()

    def has_time(self) -> bool:
        return self._monotonic() < self._end

    def _may_go_on(self) -> bool:
        """Neither stopped nor held: what another worker found out a moment ago holds for us too."""
        running = self._running()
        return (running if self._probes else running.filter(connection_breakers.not_held())).exists()

    def stopped(self) -> bool:
        return not self._running().exists()

    def _running(self) -> QuerySet[Mailbox]:
        return Mailbox.objects.filter(pk=self._lease.mailbox_id, enabled=True, integration__enabled=True)

    def still_mine(self, seconds: float) -> None:
        self._lease.still_mine(seconds)
