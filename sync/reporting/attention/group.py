"""Mailboxes of one integration to which the same happened: one problem, of a mailbox alone or with their number."""

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
    integration: int
    count: int
    one: int
    """A mailbox of them."""
    title: str
    text: str
    tone: Tone
    since: datetime
    status: str = ""
    kind: str = ""
    act: str = ""
    bucket: int | None = None


def as_problems(groups: Sequence[Group], integrations: Mapping[int, Integration]) -> list[Problem]:
    """With one query at most. Without those that were deleted since they were found."""
    alone = Mailbox.objects.in_bulk([it.one for it in groups if it.count == 1])
    found = []
    for it in groups:
        integration, mailbox = integrations.get(it.integration), alone.get(it.one)
        if integration is None or (it.count == 1 and mailbox is None):
            continue
        told = (it.title, it.text, it.tone, it.since, it.count, it.status, it.kind)
        if mailbox is not None:
            mailbox.integration = integration
            found.append(Problem("mailbox", mailbox, *told))
        else:
            found.append(Problem("mailboxes", integration, *told, bucket=it.bucket, act=it.act))
    return found
