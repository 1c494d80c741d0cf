"""Mailboxes of one integration that share a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.reporting.alerts.problem import Problem
from sync.reporting.status import Tone


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes of one integration that share a problem. Only their number and the key of one mailbox are known.

    Attributes:
        integration: Primary key of the integration.
        count: Number of mailboxes.
        example: Primary key of one of the mailboxes.
        title: Title of the problem.
        text: What happened and what to do.
        tone: The severity.
        since: When the problem began, aware.
        status: See `Problem.status`.
        kind: See `Problem.kind`.
        action: See `Problem.action`.
        bucket: See `Problem.bucket`.
    """

    integration: int
    count: int
    example: int
    title: str
    text: str
    tone: Tone
    since: datetime
    status: str = ""
    kind: str = ""
    action: str = ""
    bucket: int | None = None


def as_problems(groups: Sequence[Group], integrations: Mapping[int, Integration]) -> list[Problem]:
    """Return one problem for each group. Its subject is the integration, or the mailbox if the group has one mailbox.

    Runs one query at most. Groups whose integration or mailbox was deleted meanwhile are omitted.

    Args:
        groups: The groups.
        integrations: All integrations by primary key.

    Returns:
        The problems, in the order of the groups.
    """
    single = Mailbox.objects.in_bulk([it.example for it in groups if it.count == 1])
    problems = []
    for it in groups:
        integration, mailbox = integrations.get(it.integration), single.get(it.example)
        if integration is None or (it.count == 1 and mailbox is None):
            continue
        common = (it.title, it.text, it.tone, it.since, it.count, it.status, it.kind)
        if mailbox is not None:
            mailbox.integration = integration
            problems.append(Problem("mailbox", mailbox, *common))
        else:
            problems.append(Problem("mailboxes", integration, *common, bucket=it.bucket, action=it.action))
    return problems
