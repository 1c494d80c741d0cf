"""The items of a mailbox in the database, each with its folder and the verdict on it.

Every caller that writes has checked the lease in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from integrations.messages import Change, ChangeKind, CommentId, FolderId, ItemId
from sync.engine.foreign_ids import FOREIGN_PREFIX
from sync.engine.records import DELIVERED, ItemRecord
from sync.models import DeadLetter, MailboxItem, SyncedFolder

STORED_FIELDS = ("folder", "change_key", "listed_id", "comment_id", "received", "size", "verdict", "judged_by")


class MailboxItemStore:
    """The items of one mailbox."""

    def __init__(self, mailbox_id: int) -> None:
        """Open the store of a mailbox.

        Args:
            mailbox_id: The key of the mailbox.
        """
        self.mailbox_id = mailbox_id

    def of_items(self, items: Iterable[ItemId]) -> dict[ItemId, ItemRecord]:
        """Return stored items.

        Args:
            items: Item ids.

        Returns:
            Items by item id. Unknown ids are omitted.
        """
        return {ItemId(row.item_id): _record(row) for row in self._rows().filter(item_id__in=list(items))}

    def changes_of(self, items: Iterable[ItemId]) -> list[Change]:
        """Return stored items as changes, so that the items can be fetched again.

        Args:
            items: Item ids.

        Returns:
            The changes.
        """
        return [as_change(row) for row in self._rows().filter(item_id__in=list(items))]

    def items_in(self, folders: Collection[FolderId]) -> QuerySet[MailboxItem, Any]:
        """Return a query of the item ids in some folders, for use as a subquery.

        Args:
            folders: Folder ids.

        Returns:
            The query.
        """
        return MailboxItem.objects.filter(mailbox_id=self.mailbox_id, folder__folder_id__in=folders).values("item_id")

    def twins(self, folder: FolderId, listed: Iterable[CommentId]) -> dict[CommentId, list[ItemRecord]]:
        """Return the items of a folder that have these Message-IDs, if they were delivered or have foreign ids.

        Args:
            folder: The folder.
            listed: Comment ids of listed Message-IDs.

        Returns:
            Items by the comment id of the listed Message-ID.
        """
        twins: dict[CommentId, list[ItemRecord]] = {}
        adoptable = Q(verdict=DELIVERED) | Q(item_id__startswith=FOREIGN_PREFIX)
        for row in self._rows().filter(adoptable, folder__folder_id=folder, listed_id__in=list(listed)):
            twins.setdefault(CommentId(row.listed_id), []).append(_record(row))
        return twins

    def headers_of(self, listed: Iterable[CommentId]) -> dict[CommentId, CommentId]:
        """Return two comment ids of each delivered item: from its MIME header, and from its listed Message-ID.

        Args:
            listed: Comment ids of listed Message-IDs. Only items with one of these Message-IDs are included.

        Returns:
            A mapping from the comment id of the MIME header to the comment id of the listed Message-ID.
        """
        rows = MailboxItem.objects.filter(mailbox_id=self.mailbox_id, listed_id__in=list(listed), verdict=DELIVERED)
        return {
            CommentId(header): CommentId(as_listed) for as_listed, header in rows.values_list("listed_id", "comment_id")
        }

    def nameless(self, changes: Sequence[Change]) -> frozenset[tuple[datetime | None, int]]:
        """Return delivered items without a Message-ID that were received at the time of a change without a Message-ID.

        Args:
            changes: The changes.

        Returns:
            The received time and size of each item.
        """
        received = [change.received for change in changes if not change.message_id and change.received]
        if not received:
            return frozenset()
        rows = MailboxItem.objects.filter(
            mailbox_id=self.mailbox_id, verdict=DELIVERED, listed_id="", received__in=received
        )
        return frozenset(rows.values_list("received", "size"))

    def remember(self, items: Sequence[ItemRecord]) -> None:
        """Insert or update items.

        Args:
            items: The items.
        """
        folders = dict(
            SyncedFolder.objects.filter(
                mailbox_id=self.mailbox_id, folder_id__in={item.folder_id for item in items}
            ).values_list("folder_id", "pk")
        )
        rows = {item.item_id: self._row(item, folders[item.folder_id]) for item in items}
        MailboxItem.objects.bulk_create(
            rows.values(), update_conflicts=True, unique_fields=["mailbox", "item_id"], update_fields=STORED_FIELDS
        )
        _move_synced_until(items, folders)

    def rename(self, old_id: ItemId, change: Change) -> None:
        """Store the new id of an item.

        Args:
            old_id: The stored id.
            change: The item with its new id.
        """
        MailboxItem.objects.filter(mailbox_id=self.mailbox_id, item_id=old_id).update(
            item_id=change.item_id, change_key=change.change_key
        )

    def forget_in(self, folder: FolderId, items: Iterable[ItemId]) -> None:
        """Delete items that a folder reported as deleted, if they are stored in that folder.

        On some servers a moved item keeps its id, and the new folder may report the move first. Then the item belongs to
        the new folder already, and is not deleted.

        Args:
            folder: The folder that reported the deletions.
            items: Item ids.
        """
        MailboxItem.objects.filter(
            mailbox_id=self.mailbox_id, folder__folder_id=folder, item_id__in=list(items)
        ).delete()

    def forget_foreign(self) -> None:
        """Delete items with foreign ids."""
        MailboxItem.objects.filter(mailbox_id=self.mailbox_id, item_id__startswith=FOREIGN_PREFIX).delete()

    def forget(self, items: Iterable[ItemId]) -> None:
        """Delete items.

        Args:
            items: Item ids.
        """
        MailboxItem.objects.filter(mailbox_id=self.mailbox_id, item_id__in=list(items)).delete()

    def _rows(self) -> QuerySet[MailboxItem]:
        return MailboxItem.objects.filter(mailbox_id=self.mailbox_id).select_related("folder")

    def _row(self, item: ItemRecord, folder: int) -> MailboxItem:
        return MailboxItem(
            mailbox_id=self.mailbox_id,
            folder_id=folder,
            item_id=item.item_id,
            change_key=item.change_key,
            listed_id=item.listed_id or "",
            comment_id=item.comment_id or "",
            received=item.received,
            size=item.size,
            verdict=item.verdict,
            judged_by=item.judged_by,
        )


def another_item(comment_id: CommentId, bucket_id: int, *, except_for: tuple[int, ItemId]) -> MailboxItem | None:
    """Return a delivered item of the same comment, in any mailbox of the bucket.

    Args:
        comment_id: The comment.
        bucket_id: The key of the bucket.
        except_for: Mailbox key and item id of the item that is gone.

    Returns:
        An item, if there is another one.
    """
    items = MailboxItem.objects.filter(comment_id=comment_id, verdict=DELIVERED, mailbox__bucket_id=bucket_id)
    return items.exclude(mailbox_id=except_for[0], item_id=except_for[1]).first()


def as_change(row: MailboxItem | DeadLetter) -> Change:
    """Return a stored item as a change, so that the source can fetch it.

    Args:
        row: The item or the dead letter.

    Returns:
        The change.
    """
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


def _move_synced_until(items: Sequence[ItemRecord], folders: Mapping[str, int]) -> None:
    newest: dict[int, datetime] = {}
    for item in items:
        if item.verdict == DELIVERED and item.received is not None:
            folder = folders[item.folder_id]
            newest[folder] = max(newest.get(folder, item.received), item.received)
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
    """Return the Message-ID that was converted to `listed_id`; blank if `listed_id` is the digest of a long Message-ID."""
    try:
        return bytes.fromhex(listed_id).decode()
    except (ValueError, UnicodeDecodeError):
        return ""
