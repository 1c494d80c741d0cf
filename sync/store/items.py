"""The copies of a mailbox's emails in the database: where each lies, and what was decided on it.

Whoever writes has demanded the lease, inside the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from integrations.messages import Change, ChangeKind, CommentId, FolderId, ItemId
from sync.engine.foreign_ids import FORMER
from sync.engine.records import DELIVERED, ItemRecord
from sync.models import DeadLetter, MailboxItem, SyncedFolder

REMEMBERED = ("folder", "change_key", "listed_id", "comment_id", "received", "size", "verdict", "judged_by")


class MailboxItemStore:
    """Those of one mailbox."""

    def __init__(self, mailbox_id: int) -> None:
        self.mailbox_id = mailbox_id

    def of_items(self, items: Iterable[ItemId]) -> dict[ItemId, ItemRecord]:
        return {ItemId(row.item_id): _record(row) for row in self._rows().filter(item_id__in=list(items))}

    def changes_of(self, items: Iterable[ItemId]) -> list[Change]:
        """As if these items had changed, so that they are fetched again."""
        return [as_change(row) for row in self._rows().filter(item_id__in=list(items))]

    def items_in(self, folders: Collection[FolderId]) -> QuerySet[MailboxItem, Any]:
        """The item ids of those in these folders, for another query."""
        return MailboxItem.objects.filter(mailbox_id=self.mailbox_id, folder__folder_id__in=folders).values("item_id")

    def twins(self, folder: FolderId, listed: Iterable[CommentId]) -> dict[CommentId, list[ItemRecord]]:
        """What was delivered of this folder, and what still bears an id of another source, by the Message-ID as listed."""
        twins: dict[CommentId, list[ItemRecord]] = {}
        adoptable = Q(verdict=DELIVERED) | Q(item_id__startswith=FORMER)
        for row in self._rows().filter(adoptable, folder__folder_id=folder, listed_id__in=list(listed)):
            twins.setdefault(CommentId(row.listed_id), []).append(_record(row))
        return twins

    def headers_of(self, listed: Iterable[CommentId]) -> dict[CommentId, CommentId]:
        """From the id by the MIME header to the id as listed, of what was delivered."""
        rows = MailboxItem.objects.filter(mailbox_id=self.mailbox_id, listed_id__in=list(listed), verdict=DELIVERED)
        return {
            CommentId(header): CommentId(as_listed) for as_listed, header in rows.values_list("listed_id", "comment_id")
        }

    def nameless(self, changes: Sequence[Change]) -> frozenset[tuple[datetime | None, int]]:
        """Arrival and size of what was delivered without a Message-ID and arrived when one of these did."""
        received = [change.received for change in changes if not change.message_id and change.received]
        if not received:
            return frozenset()
        rows = MailboxItem.objects.filter(
            mailbox_id=self.mailbox_id, verdict=DELIVERED, listed_id="", received__in=received
        )
        return frozenset(rows.values_list("received", "size"))

    def remember(self, copies: Sequence[ItemRecord]) -> None:
        folders = dict(
            SyncedFolder.objects.filter(
                mailbox_id=self.mailbox_id, folder_id__in={copy.folder_id for copy in copies}
            ).values_list("folder_id", "pk")
        )
        rows = {copy.item_id: self._row(copy, folders[copy.folder_id]) for copy in copies}
        MailboxItem.objects.bulk_create(
            rows.values(), update_conflicts=True, unique_fields=["mailbox", "item_id"], update_fields=REMEMBERED
        )
        _move_synced_until(copies, folders)

    def rename(self, former: ItemId, change: Change) -> None:
        MailboxItem.objects.filter(mailbox_id=self.mailbox_id, item_id=former).update(
            item_id=change.item_id, change_key=change.change_key
        )

    def forget_in(self, folder: FolderId, items: Iterable[ItemId]) -> None:
        """Where items keep their ids, a move can be told by its new folder first: what lies there by now is left alone."""
        MailboxItem.objects.filter(
            mailbox_id=self.mailbox_id, folder__folder_id=folder, item_id__in=list(items)
        ).delete()

    def forget_former(self) -> None:
        """What bears an id of another source."""
        MailboxItem.objects.filter(mailbox_id=self.mailbox_id, item_id__startswith=FORMER).delete()

    def forget(self, items: Iterable[ItemId]) -> None:
        MailboxItem.objects.filter(mailbox_id=self.mailbox_id, item_id__in=list(items)).delete()

    def _rows(self) -> QuerySet[MailboxItem]:
        return MailboxItem.objects.filter(mailbox_id=self.mailbox_id).select_related("folder")

    def _row(self, copy: ItemRecord, folder: int) -> MailboxItem:
        return MailboxItem(
            mailbox_id=self.mailbox_id,
            folder_id=folder,
            item_id=copy.item_id,
            change_key=copy.change_key,
            listed_id=copy.listed_id or "",
            comment_id=copy.comment_id or "",
            received=copy.received,
            size=copy.size,
            verdict=copy.verdict,
            judged_by=copy.judged_by,
        )


def another_copy(comment_id: CommentId, bucket_id: int, *, but: tuple[int, ItemId]) -> MailboxItem | None:
    """A delivered copy of the same comment, in any mailbox of the bucket. `but`: mailbox and item of the one that is gone."""
    copies = MailboxItem.objects.filter(comment_id=comment_id, verdict=DELIVERED, mailbox__bucket_id=bucket_id)
    return copies.exclude(mailbox_id=but[0], item_id=but[1]).first()


def as_change(row: MailboxItem | DeadLetter) -> Change:
    """The item as a source would list it."""
    return Change(
        kind=ChangeKind.UPDATED,
        folder_id=FolderId(row.folder.folder_id),
        item_id=ItemId(row.item_id),
        change_key=row.change_key,
        item_class=getattr(row, "item_class", ""),
        message_id=_message_id(row.listed_id),
        received=row.received,
        size=row.size,
    )


def _move_synced_until(copies: Sequence[ItemRecord], folders: Mapping[str, int]) -> None:
    newest: dict[int, datetime] = {}
    for copy in copies:
        if copy.verdict == DELIVERED and copy.received is not None:
            folder = folders[copy.folder_id]
            newest[folder] = max(newest.get(folder, copy.received), copy.received)
    for folder, received in newest.items():
        SyncedFolder.objects.filter(Q(synced_until=None) | Q(synced_until__lt=received), pk=folder).update(
            synced_until=received
        )


def _record(row: MailboxItem) -> ItemRecord:
    return ItemRecord(
        item_id=ItemId(row.item_id),
        change_key=row.change_key,
        folder_id=FolderId(row.folder.folder_id),
        listed_id=CommentId(row.listed_id) if row.listed_id else None,
        comment_id=CommentId(row.comment_id) if row.comment_id else None,
        received=row.received,
        size=row.size,
        verdict=row.verdict,
        judged_by=row.judged_by,
    )


def _message_id(listed_id: str) -> str:
    """The Message-ID that a listed id was made of; blank for the digests of over-long ones."""
    try:
        return bytes.fromhex(listed_id).decode()
    except (ValueError, UnicodeDecodeError):
        return ""
