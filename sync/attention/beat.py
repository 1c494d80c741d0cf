"""Whether anybody looks for what is due: without beat nothing fails, and nothing is synced."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Min

from integrations.models import Integration
from sync.attention.problem import Problem, Problems
from sync.models import MailboxState, Tick
from sync.status import Tone, bare

AWAY_AFTER = timedelta(minutes=5)
REMEDY = (
    "Is beat running, and a worker for the queue control, and do both reach Redis? "
    "Nothing is lost: all goes on by itself when they are back."
)


def away(now: datetime, integrations: Iterable[Integration]) -> Problems:
    """Told while something is switched on, from five minutes after the last look; before the first one, from five minutes
    after a mailbox was switched on."""
    if not any(integration.enabled for integration in integrations):
        return Problems()
    tick = Tick.objects.filter(name="dispatch").first()
    since = tick.at if tick else _first_asked()
    if since is None or since > now - AWAY_AFTER:
        return Problems()
    told = f"Nobody looked for mailboxes that are due since {bare(since, now)}." if tick else "Nothing was synced yet."
    return Problems([Problem("beat", "Beat", "Standing still", f"{told} {REMEDY}", Tone.BAD, since)])


def _first_asked() -> datetime | None:
    running = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
    first: datetime | None = running.aggregate(at=Min("asked_at"))["at"]
    return first
