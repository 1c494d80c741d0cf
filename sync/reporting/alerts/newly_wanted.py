"""Alerts about newly wanted emails, grouped by integration. An admin decides whether to push them."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.models import Integration
from sync.reporting.alerts.problem import MOST, Problem, Problems, first
from sync.reporting.newly_wanted import by_integration
from sync.reporting.status import Tone


def newly_wanted(integrations: Mapping[int, Integration]) -> Problems:
    """Return alerts about the integrations whose newly wanted emails wait for a decision.

    Args:
        integrations: All integrations by primary key.

    Returns:
        The first `MOST` alerts, by the primary key of the integration.
    """
    waiting = by_integration()
    found = [
        Problem("newly_wanted", integrations[pk], "Action required", it.sentence, Tone.WARN, it.since, it.emails)
        for pk, it in waiting.items()
        if pk in integrations
    ]
    return first(found[:MOST], len(found))
