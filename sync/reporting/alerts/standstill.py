"""Alerts about a standstill: see `sync.reporting.standstill`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from integrations.models import Integration
from sync.reporting import standstill
from sync.reporting.alerts.problem import MOST, Problem, Problems, first

DEFAULT_TITLE = "Standing still"
TITLES = {
    standstill.StandstillKind.BROKER_AWAY: "Broker unreachable",
    standstill.StandstillKind.BROKER_REFUSES: "Broker rejects writes",
    standstill.StandstillKind.SECRET_UNREADABLE: "Secret unreadable",
    standstill.StandstillKind.WORKER_UNFIT: "Worker unfit",
}


def standing(now: datetime, integrations: Iterable[Integration]) -> Problems:
    """Return alerts about the current standstills.

    Args:
        now: Current time, aware.
        integrations: All integrations.

    Returns:
        The first `MOST` alerts, causes before their consequences.
    """
    found = standstill.found(now, integrations)
    shown = [
        Problem("standstill", it.about, TITLES.get(it.kind, DEFAULT_TITLE), it.text, it.tone, it.since, kind=it.error)
        for it in found[:MOST]
    ]
    return first(shown, len(found))
