"""The emails of a mailbox that were set aside, in the database: why, how often they were tried, and when they are tried again.

Whoever writes has demanded the lease, inside the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from conversion.identity import listed_comment_id
from integrations.dead_letter_reasons import UNTOLD, DeadLetterKind, Stage
from integrations.messages import Change, FolderId, ItemId
from sync.engine.foreign_ids import FORMER
from sync.engine.records import DELIVERED, SET_ASIDE, DeadLetterRecord, ItemRecord
from sync.models import VANISHED, DeadLetter, SyncedFolder
from sync.store.items import as_change

RETRY_AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""How long a set-aside email waits for its next try; the last one for ever after."""

BY_VERSION = (Stage.TRANSFORM, Stage.DEADLINE, Stage.PUSH)
"""Stages whose emails a newer transform may deliver."""

COUNTED = ("attempts", "retry_at", "transform_version")
"""What a try changes before it is made."""

AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=10))
"""The same where something came that is no email: what stands between us and Exchange is often well again soon."""

LOOKS = 3
"""How often an email is looked for that was listed and is not there: most were moved or deleted, and the next page tells."""


class DeadLetterStore:
    """Those of one mailbox."""

    def __init__(self, mailbox_id: int, transform_version: int) -> None:
        self.mailbox_id = mailbox_id
        self.transform_version = transform_version
        self._begun: dict[ItemId, dict[str, Any]] = {}
        """Those whose try is counted and not ended yet, as they were before."""

    def items(self) -> QuerySet[DeadLetter, Any]:
        """The item ids of those that wait, for another query."""
        return self._waiting().values("item_id")

    def due(self, most: int, now: datetime, apart_from: Collection[FolderId] = ()) -> list[Change]:
        """Those whose next try is due, the longest first; none of these folders."""
        due = self._waiting().filter(
            Q(retry_at__lte=now) | Q(transform_version__lt=self.transform_version, stage__in=BY_VERSION)
        )
        due = due.exclude(item_id__startswith=FORMER)
        if apart_from:
            due = due.exclude(folder__folder_id__in=apart_from)
        return [as_change(row) for row in due.select_related("folder").order_by("retry_at")[:most]]

    def begin(self, item: ItemId, now: datetime) -> None:
        """Count a try of this one before it is made: where the worker does not live to tell, the next try comes later all the
        same."""
        row = self._waiting().filter(item_id=item).first()
        if row is None:
            return
        self._begun[item] = {name: getattr(row, name) for name in COUNTED}
        row.attempts += 1
        row.retry_at, row.transform_version = _next_try(row, now), self.transform_version
        row.save(update_fields=COUNTED)

    def take_back(self, item: ItemId) -> None:
        """It was not tried after all."""
        before = self._begun.pop(item, None)
        if before is not None:
            self._waiting().filter(item_id=item).update(**before)

    def add(self, email: DeadLetterRecord, now: datetime) -> bool:
        """Set it aside, or count one more try of it. Returns whether people see it among those set aside."""
        change = email.change
        folder = SyncedFolder.objects.get(mailbox_id=self.mailbox_id, folder_id=change.folder_id)
        row, created = DeadLetter.objects.get_or_create(
            mailbox_id=self.mailbox_id,
            item_id=change.item_id,
            defaults={"folder": folder, "last_at": now},
        )
        again = not created and not row.settled and not _was_only_missed(row, email)
        counted = self._begun.pop(change.item_id, None) is not None
        row.attempts = row.attempts + (not counted) if again else 1
        row.folder, row.last_at, row.reason = folder, now, email.detail[:512]
        row.kind, row.stage = email.kind, _stage(email.kind, row.attempts)
        row.change_key, row.listed_id = change.change_key, listed_comment_id(change.message_id) or ""
        row.received, row.size, row.item_class = change.received, change.size, change.item_class[:128]
        row.retry_at = _next_try(row, now)
        row.transform_version = self.transform_version
        row.settled, row.settled_at = "", None
        row.save()
        return row.stage not in UNTOLD

    def look_again(self, change: Change, now: datetime) -> bool:
        """It was listed, and is not there: look for it once more later. False when it was looked for often enough."""
        self.take_back(change.item_id)  # looks are counted here
        row = self._waiting().filter(item_id=change.item_id).first()
        if row is not None and row.stage == VANISHED and row.attempts >= LOOKS:
            return False
        if row is not None and row.stage != VANISHED:
            DeadLetter.objects.filter(pk=row.pk).update(attempts=0)
        self.add(DeadLetterRecord(change, DeadLetterKind.VANISHED), now)
        return True

    def settle_by(self, copies: Sequence[ItemRecord], now: datetime) -> None:
        """What was delivered, or is not wanted any more, waits no longer."""
        self.settle([copy.item_id for copy in copies if copy.verdict == DELIVERED], "delivered", now)
        self.settle([copy.item_id for copy in copies if copy.verdict not in (DELIVERED, SET_ASIDE)], "unwanted", now)

    def settle(self, items: Iterable[ItemId], how: str, now: datetime) -> None:
        self._waiting().filter(item_id__in=list(items)).update(settled=how, settled_at=now, retry_at=None)

    def settle_in(self, folder: FolderId, items: Iterable[ItemId], how: str, now: datetime) -> None:
        """Those that lie in this folder."""
        here = self._waiting().filter(folder__folder_id=folder, item_id__in=list(items))
        here.update(settled=how, settled_at=now, retry_at=None)

    def settle_former(self, how: str, now: datetime) -> None:
        """What bears an id of another source."""
        self._waiting().filter(item_id__startswith=FORMER).update(settled=how, settled_at=now, retry_at=None)

    def rename(self, former: ItemId, change: Change) -> None:
        DeadLetter.objects.filter(mailbox_id=self.mailbox_id, item_id=former).update(
            item_id=change.item_id, change_key=change.change_key
        )

    def _waiting(self) -> QuerySet[DeadLetter]:
        return DeadLetter.objects.filter(mailbox_id=self.mailbox_id, settled="")


def _was_only_missed(row: DeadLetter, email: DeadLetterRecord) -> bool:
    """Whether it was looked for in vain before, which is no attempt at what came for it now."""
    return row.stage == VANISHED and email.kind is DeadLetterKind.NOT_AN_EMAIL


def _stage(kind: DeadLetterKind, attempts: int) -> Stage:
    is_early = kind is DeadLetterKind.NOT_AN_EMAIL and attempts <= len(AGAIN_AFTER)
    return Stage.AGAIN if is_early else kind.stage


def _next_try(row: DeadLetter, now: datetime) -> datetime | None:
    """None: not by the clock."""
    if row.stage == Stage.DEADLINE:
        return None
    waits = (*AGAIN_AFTER, *RETRY_AFTER) if row.kind == DeadLetterKind.NOT_AN_EMAIL else RETRY_AFTER
    return now + waits[min(max(row.attempts, 1), len(waits)) - 1]


def copy_of(change: Change) -> ItemRecord:
    """The copy of an email that is set aside: known, so that it is not fetched whenever its folder is listed."""
    return ItemRecord(
        item_id=change.item_id,
        change_key=change.change_key,
        folder_id=change.folder_id,
        listed_id=listed_comment_id(change.message_id),
        comment_id=None,
        received=change.received,
        size=change.size,
        verdict=SET_ASIDE,
    )
