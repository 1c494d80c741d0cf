"""The alert about too few polls: see `sync.jobs.poll_rate`."""

from __future__ import annotations

from datetime import datetime

from sync.jobs import poll_rate
from sync.reporting.alerts.problem import Problem, Problems
from sync.reporting.status import Tone


def polling(now: datetime) -> Problems:
    """Return an alert if fewer than the share `poll_rate.SHORT` of the needed polls were done in the last ten minutes.

    There is no alert while no mailbox is late.

    Args:
        now: Current time, aware.

    Returns:
        One alert or none.
    """
    found = poll_rate.shortage(now)
    if found is None:
        return Problems()
    times = found.needed / found.done if found.done else 0
    slower = f", so mailboxes are polled {times:.1f} times less often than their interval requires" if times else ""
    late = f"{found.late:,} {'mailbox is' if found.late == 1 else 'mailboxes are'} late now."
    text = (
        f"{found.needed:.1f} polls a second are needed, and {found.done:.1f} were done in the last ten minutes"
        f"{slower}. {late} Start more workers, allow an integration more mailboxes at once, or raise the poll interval."
    )
    return Problems([Problem("polling", "Polling", "Too few polls", text, Tone.WARN, found.since, found.late)])
