"""The dead letters of a mailbox in the database: the reason, the attempts, and the time of the next retry.

Every caller that writes has checked the lease in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from conversion.identity import listed_comment_id
from integrations.dead_letter_reasons import HIDDEN_STAGES, DeadLetterKind, Stage
from integrations.messages import Change, FolderId, ItemId
from sync.engine.foreign_ids import FOREIGN_PREFIX
from sync.engine.records import DELIVERED, SET_ASIDE, DeadLetterRecord, ItemRecord
from sync.models import VANISHED, DeadLetter, SyncedFolder
from sync.store.items import as_change

RETRY_AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""Delays before the retries of a dead letter. The last delay repeats."""

BY_VERSION = (Stage.TRANSFORM, Stage.DEADLINE, Stage.PUSH)
"""Stages after which a newer version of the conversion may succeed."""

RETRY_FIELDS = ("attempts", "retry_at", "transform_version")
"""The fields that are changed before a retry begins."""

EARLY_RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=10))
"""Delays before the first retries after a response that is not an email. Usually such a response comes from a gateway
between this product and Exchange, which recovers soon."""

MAX_CHECKS = 3
"""How often a listed email that was not found is looked up again. Most of these emails were moved or deleted, which the
next page reports."""


class DeadLetterStore:
    """The dead letters of one mailbox."""

    def __init__(self, mailbox_id: int, transform_version: int) -> None:
        """Open the store of a mailbox.

        Args:
            mailbox_id: The key of the mailbox.
            transform_version: The version of the conversion in this process.
        """
        self.mailbox_id = mailbox_id
        self.transform_version = transform_version
        self._begun: dict[ItemId, dict[str, Any]] = {}
        """Retries that are counted and have not ended, with the previous values of `RETRY_FIELDS`."""

    def items(self) -> QuerySet[DeadLetter, Any]:
        """Return a query of the item ids of open dead letters, for use as a subquery."""
        return self._open_rows().values("item_id")

    def due(self, most: int, now: datetime, apart_from: Collection[FolderId] = ()) -> list[Change]:
        """Return dead letters whose retry is due, or that a newer version of the conversion may deliver.

        Args:
            most: Maximum number to return.
            now: The present time.
            apart_from: Folders whose emails are not returned.

        Returns:
            The emails as changes, ordered by due time.
        """
        due = self._open_rows().filter(
            Q(retry_at__lte=now) | Q(transform_version__lt=self.transform_version, stage__in=BY_VERSION)
        )
        due = due.exclude(item_id__startswith=FOREIGN_PREFIX)
        if apart_from:
            due = due.exclude(folder__folder_id__in=apart_from)
        return [as_change(row) for row in due.select_related("folder").order_by("retry_at")[:most]]

    def begin_retry(self, item: ItemId, now: datetime) -> None:
        """Count a retry before it begins, and schedule the next one in case the worker crashes during this retry.

        Args:
            item: The item id.
            now: The present time.
        """
        row = self._open_rows().filter(item_id=item).first()
        if row is None:
            return
        self._begun[item] = {name: getattr(row, name) for name in RETRY_FIELDS}
        row.attempts += 1
        row.retry_at, row.transform_version = _next_try(row, now), self.transform_version
        row.save(update_fields=RETRY_FIELDS)

    def undo_retry(self, item: ItemId) -> None:
        """Undo `begin_retry`, because the email did not cause the end of the retry.

        Args:
            item: The item id.
        """
        before = self._begun.pop(item, None)
        if before is not None:
            self._open_rows().filter(item_id=item).update(**before)

    def add(self, email: DeadLetterRecord, now: datetime) -> bool:
        """Add a dead letter, or count one more attempt at it.

        Args:
            email: The email, with the reason.
            now: The present time.

        Returns:
            Whether pages show the email among the failed emails.
        """
        change = email.change
        folder = SyncedFolder.objects.get(mailbox_id=self.mailbox_id, folder_id=change.folder_id)
        row, created = DeadLetter.objects.get_or_create(
            mailbox_id=self.mailbox_id,
            item_id=change.item_id,
            defaults={"folder": folder, "last_at": now},
        )
        again = not created and not row.settled and not _was_only_vanished(row, email)
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
        return row.stage not in HIDDEN_STAGES

    def retry_vanished(self, change: Change, now: datetime) -> bool:
        """Schedule another lookup of an email that a folder listed and that cannot be found.

        Args:
            change: The email.
            now: The present time.

        Returns:
            False if the email was already looked up again `MAX_CHECKS` times. Then no lookup is scheduled.
        """
        self.undo_retry(change.item_id)  # lookups are counted below
        row = self._open_rows().filter(item_id=change.item_id).first()
        if row is not None and row.stage == VANISHED and row.attempts >= MAX_CHECKS:
            return False
        if row is not None and row.stage != VANISHED:
            DeadLetter.objects.filter(pk=row.pk).update(attempts=0)
        self.add(DeadLetterRecord(change, DeadLetterKind.VANISHED), now)
        return True

    def settle_decided(self, items: Sequence[ItemRecord], now: datetime) -> None:
        """Settle the dead letters of items that were delivered or are not wanted any more.

        Args:
            items: The items with their verdicts.
            now: The present time.
        """
        self.settle([item.item_id for item in items if item.verdict == DELIVERED], "delivered", now)
        self.settle([item.item_id for item in items if item.verdict not in (DELIVERED, SET_ASIDE)], "unwanted", now)

    def settle(self, items: Iterable[ItemId], how: str, now: datetime) -> None:
        """Settle dead letters.

        Args:
            items: Item ids.
            how: The value of `settled`.
            now: The present time.
        """
        self._open_rows().filter(item_id__in=list(items)).update(settled=how, settled_at=now, retry_at=None)

    def settle_in(self, folder: FolderId, items: Iterable[ItemId], how: str, now: datetime) -> None:
        """Settle dead letters in one folder.

        Args:
            folder: The folder.
            items: Item ids.
            how: The value of `settled`.
            now: The present time.
        """
        here = self._open_rows().filter(folder__folder_id=folder, item_id__in=list(items))
        here.update(settled=how, settled_at=now, retry_at=None)

    def settle_foreign(self, how: str, now: datetime) -> None:
        """Settle dead letters with foreign ids.

        Args:
            how: The value of `settled`.
            now: The present time.
        """
        self._open_rows().filter(item_id__startswith=FOREIGN_PREFIX).update(settled=how, settled_at=now, retry_at=None)

    def rename(self, old_id: ItemId, change: Change) -> None:
        """Store the new item id of a dead letter.

        Args:
            old_id: The stored id.
            change: The email with its new id.
        """
        DeadLetter.objects.filter(mailbox_id=self.mailbox_id, item_id=old_id).update(
            item_id=change.item_id, change_key=change.change_key
        )

    def _open_rows(self) -> QuerySet[DeadLetter]:
        return DeadLetter.objects.filter(mailbox_id=self.mailbox_id, settled="")


def _was_only_vanished(row: DeadLetter, email: DeadLetterRecord) -> bool:
    """Return whether Exchange did not find the email before, and now returns content that is not an email.

    The earlier lookups do not count as attempts at this content.
    """
    return row.stage == VANISHED and email.kind is DeadLetterKind.NOT_AN_EMAIL


def _stage(kind: DeadLetterKind, attempts: int) -> Stage:
    is_early = kind is DeadLetterKind.NOT_AN_EMAIL and attempts <= len(EARLY_RETRY_AFTER)
    return Stage.AGAIN if is_early else kind.stage


def _next_try(row: DeadLetter, now: datetime) -> datetime | None:
    """Return the time of the next retry; None if a conversion exceeded its deadline, because no delay helps then."""
    if row.stage == Stage.DEADLINE:
        return None
    delays = (*EARLY_RETRY_AFTER, *RETRY_AFTER) if row.kind == DeadLetterKind.NOT_AN_EMAIL else RETRY_AFTER
    return now + delays[min(max(row.attempts, 1), len(delays)) - 1]


def dead_letter_item(change: Change) -> ItemRecord:
    """Return the mailbox item of a dead letter. The item is stored so that a listing of the folder causes no fetch.

    Args:
        change: The email.

    Returns:
        The item.
    """
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
