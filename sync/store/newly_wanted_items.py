"""The emails of a mailbox that newer rules want, in the database: which they are, and which of them may come.

Whoever writes has demanded the lease, inside the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from integrations.messages import CommentId, FolderId
from sync.engine.foreign_ids import FORMER
from sync.engine.newly_wanted import AT_ONCE
from sync.engine.records import NEWLY_WANTED, AnsweredEmail, Found
from sync.models import MailboxItem, NewlyWanted, RulesAnswer
from sync.store.items import as_change


class NewlyFound:
    """Those of one mailbox."""

    def __init__(self, mailbox_id: int) -> None:
        self.mailbox_id = mailbox_id

    def among(self, keys: Iterable[CommentId]) -> frozenset[CommentId]:
        """Which of these wait for an answer, or were left."""
        if not self._any:
            return frozenset()
        known = self._rows().filter(key__in=set(keys)).exclude(version=AT_ONCE)
        return frozenset(map(CommentId, known.values_list("key", flat=True)))

    def add(self, found: Sequence[Found]) -> None:
        rows = {
            it.copy.comment_id: NewlyWanted(
                mailbox_id=self.mailbox_id, key=it.copy.comment_id or "", version=it.version, draft=it.draft
            )
            for it in found
        }
        NewlyWanted.objects.bulk_create(
            rows.values(), update_conflicts=True, unique_fields=["mailbox", "key"], update_fields=["version", "draft"]
        )
        self._any = True

    def brought(self, most: int, apart: QuerySet[Any, Any], apart_from: Collection[FolderId]) -> list[AnsweredEmail]:
        """Those that may come, with one copy each at least. `apart`: a query of item ids; `apart_from`: folders."""
        if not self._any or not (may_come := self._may_come()).exists():
            return []
        copies = self._copies().exclude(item_id__in=apart).exclude(folder__folder_id__in=apart_from)
        chosen = may_come.filter(_has(copies)).order_by("attempts", "pk")[:most]
        rows = {row.key: row for row in chosen}
        if not rows:
            may_come.exclude(_has(self._copies())).delete()  # they came, or are gone
        return [
            _brought(copy, rows[copy.comment_id])
            for copy in copies.filter(comment_id__in=rows).select_related("folder").order_by("pk")
        ]

    def begin(self, keys: Collection[CommentId]) -> None:
        self._rows().filter(key__in=keys).update(attempts=F("attempts") + 1)

    def take_back(self, keys: Collection[CommentId]) -> None:
        self._rows().filter(key__in=keys, attempts__gt=0).update(attempts=F("attempts") - 1)

    @cached_property
    def _any(self) -> bool:
        """Most mailboxes have none, and are asked no more than this."""
        return self._rows().exists()

    def _rows(self) -> QuerySet[NewlyWanted]:
        return NewlyWanted.objects.filter(mailbox_id=self.mailbox_id)

    def _may_come(self) -> QuerySet[NewlyWanted]:
        answered = RulesAnswer.objects.filter(mailbox_id=self.mailbox_id, bring=True)
        return self._rows().filter(Q(version=AT_ONCE) | Q(version__in=answered.values("version")))

    def _copies(self) -> QuerySet[MailboxItem]:
        copies = MailboxItem.objects.filter(mailbox_id=self.mailbox_id, verdict=NEWLY_WANTED, folder__gone=False)
        return copies.exclude(item_id__startswith=FORMER)


def _brought(copy: MailboxItem, row: NewlyWanted) -> AnsweredEmail:
    return AnsweredEmail(replace(as_change(copy), draft=row.draft), CommentId(row.key), row.attempts)


def _has(copies: QuerySet[MailboxItem]) -> Exists:
    return Exists(copies.filter(comment_id=OuterRef("key")))
