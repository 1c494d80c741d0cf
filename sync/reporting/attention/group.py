"""Mailboxes of one integration that share a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.reporting.attention.problem import Problem
from sync.reporting.status import Tone


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes of one integration that share a problem, before the mailbox itself is loaded.

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
        act: See `Problem.act`.
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
    act: str = ""
    bucket: int | None = None


def as_problems(groups: Sequence[Group], integrations: Mapping[int, Integration]) -> list[Problem]:
    """Return the problem of each group: of a mailbox where the group has one mailbox, else of the integration.

    Runs one query at most. Groups whose integration or mailbox was deleted meanwhile are omitted.

    Args:
        groups: The groups.
        integrations: All integrations by primary key.

    Returns:
        The problems, in the order of the groups.
    """
    single = Mailbox.objects.in_bulk([it.example for it in groups if it.count == 1])
    found = []
    for it in groups:
        integration, mailbox = integrations.get(it.integration), single.get(it.example)
        if integration is None or (it.count == 1 and mailbox is None):
            continue
        common = (it.title, it.text, it.tone, it.since, it.count, it.status, it.kind)
        if mailbox is not None:
            mailbox.integration = integration
            found.append(Problem("mailbox", mailbox, *common))
        else:
            found.append(Problem("mailboxes", integration, *common, bucket=it.bucket, act=it.act))
    return found
