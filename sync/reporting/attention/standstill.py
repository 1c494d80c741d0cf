"""What stands still, as problems: see `sync.reporting.standstill`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from integrations.models import Integration
from sync.reporting import standstill
from sync.reporting.attention.problem import MOST, Problem, Problems, first

STILL = "Standing still"
TITLES = {
    standstill.StandstillKind.BROKER_AWAY: "Broker away",
    standstill.StandstillKind.BROKER_REFUSES: "Broker refuses",
    standstill.StandstillKind.SECRET_UNREADABLE: "Secret unreadable",
    standstill.StandstillKind.WORKER_UNFIT: "Worker unfit",
}


def standing(now: datetime, integrations: Iterable[Integration]) -> Problems:
    found = standstill.found(now, integrations)
    told = [
        Problem("standstill", it.about, TITLES.get(it.kind, STILL), it.text, it.tone, it.since, kind=it.error)
        for it in found[:MOST]
    ]
    return first(told, len(found))
