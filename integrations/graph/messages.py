"""What a mailbox's messages were told to be, kept from the listing of a page until its emails are fetched.

Graph gives an email's content and its properties by different requests, and counts requests. So what the page told is not asked
for again; what no page told, or told in part, is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrations.errors import ExchangeFailed
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.refusals import GraphAnswer
from integrations.graph.rows import (
    EXPAND,
    SELECT,
    DeltaRow,
    filled,
    folder_of,
    is_of_no_interest,
    is_removed,
    is_whole,
    item_id,
    removed,
    told,
)
from integrations.messages import Change, ChangeKind, FolderId, Gone, ItemDetails, ItemId

MOST_KEPT = 2
"""Pages."""


class Messages:
    """Of one mailbox."""

    def __init__(self, mailbox: GraphMailbox) -> None:
        self._mailbox = mailbox
        self._pages: list[dict[ItemId, DeltaRow]] = []

    def changes(self, folder: FolderId, rows: Sequence[Mapping[str, Any]], kind: ChangeKind) -> list[Change]:
        """The rows of a page as changes. What a row leaves out is asked for."""
        partial = [row for row in rows if not is_removed(row) and not is_whole(row) and not is_of_no_interest(row)]
        completed = dict(zip(map(item_id, partial), self._asked(map(item_id, partial)), strict=True))
        page: dict[ItemId, DeltaRow] = {}
        changes: dict[ItemId, Change] = {}
        for row in rows:
            number = item_id(row)
            # Of two rows of one message the later one counts, and its place.
            changes.pop(number, None)
            if is_removed(row):
                changes[number] = removed(row, folder)
            elif number in completed:
                changes.update(self._completed(number, completed[number], folder, kind, page))
            elif is_whole(row):
                page[number] = told(row, folder, kind)
                changes[number] = page[number].change
            else:
                changes[number] = Change(ChangeKind.READ, folder, number)
        self._pages = [*self._pages, page][-MOST_KEPT:]
        return list(changes.values())

    def found(self, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        """Messages that were asked for by their ids, as changes of the folders in which they lie."""
        page = {item_id(row): told(filled(row), FolderId(folder_of(row)), ChangeKind.UPDATED) for row in rows}
        self._pages = [*self._pages, page][-MOST_KEPT:]
        return [one.change for one in page.values()]

    def told(self, asked: Sequence[Change]) -> list[DeltaRow | Gone]:
        """What is known of these; what is not, is asked for. `Gone` is what lies in its folder no more."""
        known = [self._kept(change) for change in asked]
        missing = [change for change, one in zip(asked, known, strict=True) if one is None]
        answers = iter(self._asked(change.item_id for change in missing))
        return [one or self._looked_up(change, next(answers)) for change, one in zip(asked, known, strict=True)]

    def _kept(self, change: Change) -> DeltaRow | None:
        for page in reversed(self._pages):
            one = page.get(change.item_id)
            if one is not None:
                same = (one.change.folder_id, one.change.change_key) == (change.folder_id, change.change_key)
                return replace(one, change=change) if same else None
        return None

    def _asked(self, items: Iterable[ItemId]) -> Iterator[GraphAnswer]:
        paths = [self._mailbox.path("messages", number, select=SELECT, expand=EXPAND) for number in items]
        return iter(self._mailbox.ask_all(paths))

    def _looked_up(self, change: Change, answer: GraphAnswer) -> DeltaRow | Gone:
        if answer.is_gone():
            return Gone(change)
        if not answer.ok:
            if answer.is_its_own():
                # Its properties cannot be told; whether its content can, is another request.
                details = ItemDetails(change.received, change.size, change.item_class or "IPM.Note", draft=change.draft)
                return DeltaRow(change, details)
            raise answer.refusal()
        row = answer.document()
        if item_id(row) != change.item_id:
            raise ExchangeFailed("it answered about another item than the one that was asked for")
        if folder_of(row) != change.folder_id:
            return Gone(change)
        now = told(filled(row), change.folder_id, change.kind)
        return DeltaRow(replace(change, change_key=now.change.change_key), now.details)

    def _completed(
        self, number: ItemId, answer: GraphAnswer, folder: FolderId, kind: ChangeKind, page: dict[ItemId, DeltaRow]
    ) -> dict[ItemId, Change]:
        """A change that its row told in part. None for what went meanwhile: another page tells."""
        found = self._looked_up(Change(kind, folder, number), answer)
        if isinstance(found, Gone):
            return {}
        if not answer.ok:
            return {number: found.change}
        row = answer.document()
        if not is_whole(row):
            raise ExchangeFailed("it leaves out what was asked for")
        page[number] = told(row, folder, kind)
        return {number: page[number].change}
