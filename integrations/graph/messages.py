"""Cache of message properties, from the listing of a page until the emails of the page are fetched.

Graph returns content and properties of an email to different requests, and its quota counts requests. So properties
that a cached page contained are not requested again. Other properties are requested by the id of the message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrations.errors import ExchangeFailed
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.responses import GraphResponse
from integrations.graph.rows import (
    EXPAND,
    SELECT,
    DeltaRow,
    deletion,
    folder_of,
    has_no_relevant_change,
    is_complete,
    is_removed,
    item_id,
    parse_row,
    with_defaults,
)
from integrations.messages import Change, ChangeKind, FolderId, Gone, ItemDetails, ItemId

MAX_PAGES = 2
"""Maximum number of pages in the cache."""


class MessageCache:
    """Message properties of one mailbox, by page."""

    def __init__(self, mailbox: GraphMailbox) -> None:
        """Start with no page.

        Args:
            mailbox: Mailbox that missing properties are requested from.
        """
        self._mailbox = mailbox
        self._pages: list[dict[ItemId, DeltaRow]] = []

    def changes(self, folder: FolderId, rows: Sequence[Mapping[str, Any]], kind: ChangeKind) -> list[Change]:
        """Return the rows of a page as changes, and store their properties.

        Args:
            folder: Id of the folder that was listed.
            rows: Rows of the page. If a row lists only some of its properties, the message is requested.
            kind: Kind of a change that is neither a deletion nor irrelevant for comments.

        Returns:
            One change per message, in order. A message that was requested and has left the folder is not included.
        """
        partial = [
            row for row in rows if not is_removed(row) and not is_complete(row) and not has_no_relevant_change(row)
        ]
        completed = dict(zip(map(item_id, partial), self._request(map(item_id, partial)), strict=True))
        page: dict[ItemId, DeltaRow] = {}
        changes: dict[ItemId, Change] = {}
        for row in rows:
            item = item_id(row)
            # If a message has two rows, the later row is used, at the position of the later row.
            changes.pop(item, None)
            if is_removed(row):
                changes[item] = deletion(row, folder)
            elif item in completed:
                changes.update(self._complete(item, completed[item], folder, kind, page))
            elif is_complete(row):
                page[item] = parse_row(row, folder, kind)
                changes[item] = page[item].change
            else:
                changes[item] = Change(ChangeKind.READ, folder, item)
        self._store(page)
        return list(changes.values())

    def located(self, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        """Return changes for messages that were requested by id, each in its current folder, and store their properties.

        Args:
            rows: Responses to the requests by id.

        Returns:
            One change per message, in order.
        """
        page = {
            item_id(row): parse_row(with_defaults(row), FolderId(folder_of(row)), ChangeKind.UPDATED) for row in rows
        }
        self._store(page)
        return [row.change for row in page.values()]

    def rows_of(self, changes: Sequence[Change]) -> list[DeltaRow | Gone]:
        """Return the properties of messages, from the cache or by a request.

        Args:
            changes: Changes whose properties are needed.

        Returns:
            One result per change, in order. `Gone` where the message is no longer in its folder.

        Raises:
            IntegrationError: A fault that is not limited to one message.
        """
        cached = [self._cached(change) for change in changes]
        missing = [change for change, row in zip(changes, cached, strict=True) if row is None]
        responses = iter(self._request(change.item_id for change in missing))
        return [row or self._row(change, next(responses)) for change, row in zip(changes, cached, strict=True)]

    def _store(self, page: dict[ItemId, DeltaRow]) -> None:
        self._pages = [*self._pages, page][-MAX_PAGES:]

    def _cached(self, change: Change) -> DeltaRow | None:
        for page in reversed(self._pages):
            row = page.get(change.item_id)
            if row is not None:
                same = (row.change.folder_id, row.change.change_key) == (change.folder_id, change.change_key)
                return replace(row, change=change) if same else None
        return None

    def _request(self, items: Iterable[ItemId]) -> Iterator[GraphResponse]:
        paths = [self._mailbox.path("messages", item, select=SELECT, expand=EXPAND) for item in items]
        return iter(self._mailbox.get_all(paths))

    def _row(self, change: Change, response: GraphResponse) -> DeltaRow | Gone:
        """Return the properties in the response to a request by id. `Gone` if the message has left the folder."""
        if response.is_gone():
            return Gone(change)
        if not response.ok:
            if response.may_be_item_fault():
                # The properties cannot be read. The content takes another request, which may succeed.
                details = ItemDetails(change.received, change.size, change.item_class or "IPM.Note", draft=change.draft)
                return DeltaRow(change, details)
            raise response.error()
        row = response.document()
        if item_id(row) != change.item_id:
            raise ExchangeFailed("the response is about another item than the request")
        if folder_of(row) != change.folder_id:
            return Gone(change)
        current = parse_row(with_defaults(row), change.folder_id, change.kind)
        return DeltaRow(replace(change, change_key=current.change.change_key), current.details)

    def _complete(
        self, item: ItemId, response: GraphResponse, folder: FolderId, kind: ChangeKind, page: dict[ItemId, DeltaRow]
    ) -> dict[ItemId, Change]:
        """Return the change of an incomplete row. Empty if the message has left the folder: another page reports the move."""
        parsed = self._row(Change(kind, folder, item), response)
        if isinstance(parsed, Gone):
            return {}
        if not response.ok:
            return {item: parsed.change}
        row = response.document()
        if not is_complete(row):
            raise ExchangeFailed("the response leaves out requested properties")
        page[item] = parse_row(row, folder, kind)
        return {item: page[item].change}
