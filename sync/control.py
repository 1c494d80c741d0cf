"""Between two batches: is the lease still ours, is the slice of time over, did somebody press Stop?"""

from __future__ import annotations

from collections.abc import Callable

from mailboxes.models import Mailbox
from sync.lease import Lease

NOTE_EVERY = 2.0
"""Seconds: as often as somebody who watches a backfill wants to see it move."""


class RunControl:
    """See `sync.ports.Control`. `monotonic` gives seconds; `is_used_up` says whether the bucket's budget is; `note` writes
    down for people how far the run is."""

    def __init__(
        self,
        lease: Lease,
        slice_seconds: float,
        monotonic: Callable[[], float],
        is_used_up: Callable[[], bool] = lambda: False,
        note: Callable[[], None] = lambda: None,
    ) -> None:
        self._is_used_up = is_used_up
        self._note = note
        self._noted_at = monotonic()
        self._lease = lease
        self._monotonic = monotonic
        self._end = monotonic() + slice_seconds

    def keep_going(self) -> bool:
        self._lease.renew()
        if self._monotonic() - self._noted_at >= NOTE_EVERY:
            self._noted_at = self._monotonic()
            self._note()
        return self._monotonic() < self._end and not self.stopped() and not self._is_used_up()

    def stopped(self) -> bool:
        running = Mailbox.objects.filter(pk=self._lease.mailbox_id, enabled=True, integration__enabled=True)
        return not running.exists()

    def still_mine(self, seconds: float) -> None:
        self._lease.still_mine(seconds)
