"""The newly wanted emails of a mailbox in the database.

Every caller that writes has checked the lease in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from integrations.messages import CommentId, FolderId
from sync.engine.foreign_ids import FOREIGN_PREFIX
from sync.engine.newly_wanted import AT_ONCE
from sync.engine.records import NEWLY_WANTED, AnsweredEmail, Found
from sync.models import MailboxItem, NewlyWanted, RulesAnswer
from sync.store.items import as_change


class NewlyWantedStore:
    """The newly wanted emails of one mailbox."""

    def __init__(self, mailbox_id: int) -> None:
        """Open the store of a mailbox.

        Args:
            mailbox_id: The key of the mailbox.
        """
        self.mailbox_id = mailbox_id

    def among(self, keys: Iterable[CommentId]) -> frozenset[CommentId]:
        """Return which of these emails are stored as newly wanted and need a decision of an administrator.

        Args:
            keys: Keys of emails.

        Returns:
            The keys of the found emails. The decision on an email may have been made already.
        """
        if not self._has_rows:
            return frozenset()
        known = self._rows().filter(key__in=set(keys)).exclude(version=AT_ONCE)
        return frozenset(map(CommentId, known.values_list("key", flat=True)))

    def add(self, found: Sequence[Found]) -> None:
        """Insert or update emails.

        Args:
            found: The emails.
        """
        rows = {
            record.item.comment_id: NewlyWanted(
                mailbox_id=self.mailbox_id, key=record.item.comment_id or "", version=record.version, draft=record.draft
            )
            for record in found
        }
        NewlyWanted.objects.bulk_create(
            rows.values(), update_conflicts=True, unique_fields=["mailbox", "key"], update_fields=["version", "draft"]
        )
        self._has_rows = True

    def deliverable(
        self, most: int, excluded_items: QuerySet[Any, Any], excluded_folders: Collection[FolderId]
    ) -> list[AnsweredEmail]:
        """Return emails that may be delivered, with their items. Emails with the fewest attempts are chosen.

        Args:
            most: Maximum number of emails.
            excluded_items: A query of item ids that are not returned.
            excluded_folders: Ids of folders whose items are not returned.

        Returns:
            The items, each with the key and the attempts of its email.
        """
        if not self._has_rows or not (deliverable := self._deliverable()).exists():
            return []
        items = self._items().exclude(item_id__in=excluded_items).exclude(folder__folder_id__in=excluded_folders)
        chosen = deliverable.filter(_has(items)).order_by("attempts", "pk")[:most]
        rows = {row.key: row for row in chosen}
        if not rows:
            deliverable.exclude(_has(self._items())).delete()  # they were delivered or no longer exist
        return [
            _answered(item, rows[item.comment_id])
            for item in items.filter(comment_id__in=rows).select_related("folder").order_by("pk")
        ]

    def count_attempt(self, keys: Collection[CommentId]) -> None:
        """Count an attempt at the delivery of these emails.

        Args:
            keys: Keys of the emails.
        """
        self._rows().filter(key__in=keys).update(attempts=F("attempts") + 1)

    def uncount_attempt(self, keys: Collection[CommentId]) -> None:
        """Undo `count_attempt`.

        Args:
            keys: Keys of the emails.
        """
        self._rows().filter(key__in=keys, attempts__gt=0).update(attempts=F("attempts") - 1)

    @cached_property
    def _has_rows(self) -> bool:
        """Whether the mailbox has newly wanted emails. If it has none, other queries are skipped."""
        return self._rows().exists()

    def _rows(self) -> QuerySet[NewlyWanted]:
        return NewlyWanted.objects.filter(mailbox_id=self.mailbox_id)

    def _deliverable(self) -> QuerySet[NewlyWanted]:
        answered = RulesAnswer.objects.filter(mailbox_id=self.mailbox_id, bring=True)
        return self._rows().filter(Q(version=AT_ONCE) | Q(version__in=answered.values("version")))

    def _items(self) -> QuerySet[MailboxItem]:
        items = MailboxItem.objects.filter(mailbox_id=self.mailbox_id, verdict=NEWLY_WANTED, folder__gone=False)
        return items.exclude(item_id__startswith=FOREIGN_PREFIX)


def _answered(item: MailboxItem, row: NewlyWanted) -> AnsweredEmail:
    return AnsweredEmail(replace(as_change(item), draft=row.draft), CommentId(row.key), row.attempts)


def _has(items: QuerySet[MailboxItem]) -> Exists:
    return Exists(items.filter(comment_id=OuterRef("key")))
