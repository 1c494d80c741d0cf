"""Changes of one folder, page by page, read with Graph's change tracking (delta queries).

If a page fails in a way that one of its emails may cause, smaller pages are requested. If a page of one email keeps
failing, the plain list of the folder is read instead: see `fallback_listing`. A message that the folder reports as
removed is requested by its id: see `item_locations`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from integrations.errors import CursorRefused, ExchangeFailed, FolderGone, IntegrationError
from integrations.graph.batches import AT_ONCE
from integrations.graph.cursors import CursorScope, local_path, start_or_resume
from integrations.graph.fallback_listing import FOLDER_GONE_CODES, PAGE_SIZE_DIVISOR, FallbackListing
from integrations.graph.item_locations import MAX_UNCLEAR, locate_items
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.graph.responses import GraphResponse
from integrations.graph.rows import EXPAND, SELECT
from integrations.messages import Change, ChangeKind, ChangePage, Cursor, FolderId, ItemId

PATIENCE = 2
"""Number of syncs that may fail at a page of one email before the fallback listing is used. Most errors are transient."""


def change_pages(
    mailbox: GraphMailbox, folder: FolderId, after: Cursor | None, page_size: int, messages: MessageCache
) -> Iterator[ChangePage]:
    """Yield the pages of changes since a cursor. Each page is requested when the caller takes it.

    Args:
        mailbox: Mailbox of the folder.
        folder: Id of the folder.
        after: Cursor of the last page that was processed; None to list the whole folder.
        page_size: Number of messages per page, unless pages fail.
        messages: Cache that stores the listed rows until their emails are fetched.

    Yields:
        Pages in order. The cursor of a page continues after that page.

    Raises:
        CursorRefused: The cursor cannot be used.
        FolderGone: Graph does not find the folder: it was deleted, or the account may not see it.
        FolderRefused: The account may not read the folder.
        IntegrationError: A fault that is not limited to this folder or one of its emails.
    """
    scope = start_or_resume(mailbox.address, folder, after)
    reader = _DeltaReader(mailbox, folder, page_size, messages)
    while True:
        page, scope = reader.page(scope)
        yield page
        if page.last:
            return


class _DeltaReader:
    """Reads the delta pages of one folder during one sync."""

    def __init__(self, mailbox: GraphMailbox, folder: FolderId, page_size: int, messages: MessageCache) -> None:
        self._mailbox, self._folder, self._usual_size, self._messages = mailbox, folder, page_size, messages
        self._size_key = (mailbox.address.casefold(), str(folder))
        self._fallback = FallbackListing(mailbox, folder, page_size, messages)
        self._requested: set[str] = set()
        """Messages that were reported as removed and that this reader has requested by id."""
        self._retried_unclear = False

    def page(self, scope: CursorScope) -> tuple[ChangePage, CursorScope]:
        """Return the next page, and the position after it."""
        if scope.removed:
            return self._removed_page(scope)
        if scope.around is not None and not self._fallback.should_retry_link(scope.around):
            return self._fallback.page(scope)
        response = self._request_page(scope)
        if response.ok:
            return self._read(response.document(), replace(scope, around=None))
        if response.may_be_content_fault() and self._is_permanent(scope):
            return self._fallback.page(scope, failed=response)
        raise self._error(response, scope)

    def _is_permanent(self, scope: CursorScope) -> bool:
        """Return whether the plain list must be read because a page of one email failed.

        True if the plain list is in use already. Otherwise this failure is recorded, and the result is True if more
        than `PATIENCE` consecutive failures are recorded.
        """
        failures = self._mailbox.connection.page_sizes
        return scope.around is not None or failures.record_failure(self._size_key) > PATIENCE

    def _request_page(self, scope: CursorScope) -> GraphResponse:
        """Request the delta link, with a smaller page after each failure. Return the response to the last request."""
        sizes = self._mailbox.connection.page_sizes
        size = 1 if scope.around is not None else sizes.get(self._size_key, self._usual_size)
        link = scope.link or self._mailbox.path(
            "mailFolders", self._folder, "messages", "delta", select=SELECT, expand=EXPAND
        )
        while True:
            # The smaller size is stored first: a request that uses up the deadline must not be repeated unchanged.
            smaller = max(1, size // PAGE_SIZE_DIVISOR)
            sizes.set(self._size_key, smaller, self._usual_size)
            response = self._mailbox.get(link, page_size=size)
            if response.ok or not response.may_be_content_fault():
                next_size = min(size * PAGE_SIZE_DIVISOR, self._usual_size) if response.ok else size
                sizes.set(self._size_key, next_size, self._usual_size)
                if response.ok:
                    sizes.clear_failures(self._size_key)
                return response
            if size == 1:
                return response
            size = smaller

    def _read(self, page: Mapping[str, Any], scope: CursorScope) -> tuple[ChangePage, CursorScope]:
        next_link = page.get("@odata.nextLink")
        link = local_path(next_link or page.get("@odata.deltaLink"), self._mailbox.connection.settings.base)
        if next_link and link == scope.link:
            raise ExchangeFailed("the next page of a folder links to itself")
        kind = ChangeKind.CREATED if scope.first else ChangeKind.UPDATED
        changes = self._messages.changes(self._folder, page["value"], kind)
        removed = [change.item_id for change in changes if change.kind is ChangeKind.DELETED]
        after = replace(scope, link=link, first=scope.first and bool(next_link), removed=removed, ahead=bool(next_link))
        present = [change for change in changes if change.kind is not ChangeKind.DELETED]
        return self._make_page(present, after)

    def _removed_page(self, scope: CursorScope) -> tuple[ChangePage, CursorScope]:
        """Return a page with the current folders of the next messages that were reported as removed.

        The cursor of the page stores the remaining messages, so none is lost. One batch requests the messages of a page.
        """
        batch = [ItemId(item) for item in scope.removed[:AT_ONCE]]
        self._requested.update(batch)
        locations = locate_items(self._mailbox, self._messages, self._folder, batch)
        unclear = [*(item for item in scope.unclear if item not in batch), *locations.unclear]
        given_up = [Change(ChangeKind.DELETED, self._folder, ItemId(item)) for item in unclear[:-MAX_UNCLEAR]]
        after = replace(scope, removed=scope.removed[AT_ONCE:], unclear=unclear[-MAX_UNCLEAR:])
        return self._make_page([*locations.changes, *given_up], after)

    def _make_page(self, changes: list[Change], after: CursorScope) -> tuple[ChangePage, CursorScope]:
        last = not (after.removed or after.ahead)
        waiting = [item for item in after.unclear if item not in self._requested][:AT_ONCE]
        if last and waiting and not self._retried_unclear:
            # Once per sync of the folder, a batch requests the messages whose folder has been unclear for the longest time.
            self._retried_unclear, last = True, False
            remaining = [item for item in after.unclear if item not in waiting]
            after = replace(after, removed=waiting, unclear=remaining)
        return ChangePage(tuple(changes), after.cursor(), last), after

    def _error(self, response: GraphResponse, scope: CursorScope) -> IntegrationError:
        error = response.folder_error()
        if response.code().casefold() in FOLDER_GONE_CODES:
            return FolderGone(error.detail)
        if scope.link and response.may_reject_link():
            return CursorRefused(error.detail)
        return error
