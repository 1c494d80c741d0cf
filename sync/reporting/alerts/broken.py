"""Create problems for violations of invariants: see `sync.reporting.invariants`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from sync.reporting import invariants
from sync.reporting.alerts.problem import MOST, Problem, Problems, first
from sync.reporting.invariants import Broken, Invariant
from sync.reporting.status import Status, Tone

TITLES = {
    Invariant.TEXT_CHANGED: ("Texts changed", Tone.BAD),
    Invariant.COMMENTS_MISSING: ("Comments missing", Tone.BAD),
    Invariant.COMMENTS_SURPLUS: ("Unknown comments", Tone.WARN),
    Invariant.CHECKPOINT_WENT_BACK: ("Checkpoint went back", Tone.BAD),
    Invariant.CHECKPOINT_MOVED: ("Checkpoint moved", Tone.WARN),
    Invariant.LEASE_OUTLIVED: ("Worker gone", Tone.WARN),
    Invariant.MAILBOX_UNTOUCHED: ("Overdue", Tone.WARN),
}


ACTIONS = {Invariant.TEXT_CHANGED: "stop", Invariant.COMMENTS_SURPLUS: "accept"}
"""The action for which the page shows a button, by invariant."""


def broken(now: datetime, integrations: Mapping[int, Integration]) -> Problems:
    """Return problems for violations of invariants: one for each violated invariant and each subject.

    Args:
        now: Current time, aware.
        integrations: All integrations by primary key.

    Returns:
        The first `MOST` problems, worst first.
    """
    found = invariants.broken(now, integrations)
    shown = found[:MOST]
    owners = _owners([it.subject.pk for it in shown if isinstance(it.subject, Bucket)], integrations)
    return first([_problem(it, owners) for it in shown], len(found))


def _problem(it: Broken, owners: dict[int, list[Integration]]) -> Problem:
    title, tone = TITLES[it.invariant]
    if isinstance(it.subject, Bucket):
        pk = it.subject.pk
        action = ACTIONS.get(it.invariant, "")
        return Problem(
            "bucket", it.subject, title, it.text, tone, it.since, it.count,
            bucket=pk, integrations=tuple(owners.get(pk, ())), action=action,
        )  # fmt: skip
    status = ""
    if it.invariant is Invariant.MAILBOX_UNTOUCHED:
        status = Status.WAITING if it.waiting else Status.OVERDUE
    return Problem("mailboxes", it.subject, title, it.text, tone, it.since, it.count, status)


def _owners(buckets: Sequence[int], integrations: Mapping[int, Integration]) -> dict[int, list[Integration]]:
    """Return, by primary key of a bucket, the integrations whose mailboxes push to it."""
    owners: dict[int, list[Integration]] = {}
    if buckets:
        pairs = Mailbox.objects.filter(bucket__in=buckets).order_by().values_list("bucket_id", "integration_id")
        for bucket, integration in sorted(pairs.distinct()):
            if integration in integrations:
                owners.setdefault(bucket, []).append(integrations[integration])
    return owners
