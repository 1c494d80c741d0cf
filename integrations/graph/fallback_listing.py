"""Read a folder by its plain message list while Graph's change tracking fails because of one email.

If a delta page of a single email fails, Graph returns no link to the next page, so no later change can be read either.
Then the plain list of the folder is read instead of the delta pages: newest emails first, in windows of received time.
An email that cannot be listed is reported by its id only. The plain list does not report deletions.

The delta link is retried at intervals. After each failed retry, the whole folder is listed. Between two retries, only
recent emails are listed, to find new mail. When a retry succeeds, change tracking continues as before, and reports the
deletions that happened in between.

The checkpoint stores the delta link and the position in the plain list, so nothing is skipped when a sync stops early.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integrations.errors import ExchangeFailed, FolderGone
from integrations.graph.cursors import CursorScope
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.graph.responses import GraphResponse
from integrations.graph.rows import EXPAND, SELECT, is_complete
from integrations.messages import Change, ChangeKind, ChangePage, FolderId, ItemId
from integrations.network.values import parse_time

MAX_LISTINGS_BETWEEN_RETRIES = 30
"""Maximum number of listings of the folder between two retries of the delta link. The first retries come sooner."""
FOLDER_GONE_CODES = {"erroritemnotfound", "errorfoldernotfound", "errorinvalididmalformed"}
OVERLAP = timedelta(hours=1)
"""A listing begins this long before the newest email of the previous listing, because emails do not arrive in the order
of their received times."""
ID_AND_TIME = "id,receivedDateTime"
PAGE_SIZE_DIVISOR = 8
"""After a failure, the page size is divided by this number. After a success, it is multiplied by this number."""
UNLISTED = "unlisted-"
"""Prefix of the id that this product gives to an email for which Graph returns no id."""
MAX_HOLES_IN_A_ROW = 3
"""Maximum number of consecutive emails without an id. If there are more, the service is at fault."""


def is_unlisted(item: ItemId) -> bool:
    """Return whether this product made the id because Graph does not list the email.

    Args:
        item: Id of the item.

    Returns:
        True for an id that Graph does not accept in a request.
    """
    return item.startswith(UNLISTED)


class FallbackListing:
    """Plain list of one folder, used while its delta link fails.

    The state of a listing is stored in `CursorScope.around`, with these keys:

    - `below`: the next window contains only emails from before this received time; blank for the first window, which begins
      at the newest email. Only during a listing.
    - `skip`: number of rows of the window that were already listed. Only during a listing.
    - `down`: received time at which the listing ends; blank to list the whole folder. Only during a listing.
    - `newest`: received time of the newest email that was listed.
    - `tries`: number of failed requests of the delta link.
    - `looks`: number of listings since the last request of the delta link.
    - `holes`: number of emails of this listing for which Graph returned no id.
    """

    def __init__(self, mailbox: GraphMailbox, folder: FolderId, page_size: int, messages: MessageCache) -> None:
        """Prepare the listing without a request.

        Args:
            mailbox: Mailbox of the folder.
            folder: Id of the folder.
            page_size: Number of messages per page, unless pages fail.
            messages: Cache that stores the listed rows until their emails are fetched.
        """
        self._mailbox, self._folder, self._usual_size, self._messages = mailbox, folder, page_size, messages
        self._sizes = mailbox.connection.page_sizes
        self._size_key = (mailbox.address.casefold(), f"{folder}, listed")
        self._size = self._sizes.get(self._size_key, page_size)
        self._holes_in_a_row = 0

    def should_retry_link(self, state: Mapping[str, Any]) -> bool:
        """Return whether the delta link is due for a retry.

        Args:
            state: State of the listing, from the cursor.

        Returns:
            True after enough listings since the last retry. Always False in the middle of a listing.
        """
        return "below" not in state and state.get("looks", 0) >= min(
            state.get("tries", 0), MAX_LISTINGS_BETWEEN_RETRIES
        )

    def page(self, scope: CursorScope, failed: GraphResponse | None = None) -> tuple[ChangePage, CursorScope]:
        """Return the next page of the plain list.

        Args:
            scope: Position before the page.
            failed: Error response of the delta link, if the link was just requested. A listing of the whole folder then
                starts.

        Returns:
            The page, and the position after it.

        Raises:
            IntegrationError: The plain list fails as well, so the fault is not limited to one email.
        """
        state = dict(scope.around or {})
        if failed is not None:
            tries = state.get("tries", 0) + 1
            state = {"below": "", "skip": 0, "down": "", "newest": state.get("newest", ""), "tries": tries, "looks": 0}
        elif "below" not in state:
            state |= {
                "below": "",
                "skip": 0,
                "down": _overlap_start(state.get("newest", "")),
                "looks": state.get("looks", 0) + 1,
            }
        rows = self._next_rows(state)
        if rows is None:
            return self._failing_email_page(scope, state, failed)
        self._holes_in_a_row = 0
        reported, next_state = self._split(rows, state)
        return self._make_page(self._messages.changes(self._folder, reported, ChangeKind.UPDATED), scope, next_state)

    def _next_rows(self, state: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
        """Return the next rows. After a failure, request a smaller page. Return None if a page of one row fails."""
        while True:
            # The smaller size is stored first: a request that uses up the deadline must not be repeated unchanged.
            self._sizes.set(self._size_key, max(1, self._size // PAGE_SIZE_DIVISOR), self._usual_size)
            response = self._list(state, SELECT, self._size)
            if response.ok:
                larger = min(self._usual_size, self._size * PAGE_SIZE_DIVISOR)
                self._sizes.set(self._size_key, larger, self._usual_size)
                rows = response.document()["value"]
                if all(map(is_complete, rows)):
                    return list(rows)
                return [{"id": row["id"], "receivedDateTime": row.get("receivedDateTime")} for row in rows]
            if not response.may_be_content_fault():
                raise self._error(response)
            if self._size == 1:
                self._size = PAGE_SIZE_DIVISOR
                return None
            self._size = max(1, self._size // PAGE_SIZE_DIVISOR)

    def _failing_email_page(
        self, scope: CursorScope, state: dict[str, Any], failed: GraphResponse | None
    ) -> tuple[ChangePage, CursorScope]:
        """Return a page with only the email that cannot be listed, and skip this email. Uses its id if Graph lists the id."""
        response = self._list(state, ID_AND_TIME, 1, expand=False)
        rows = response.document()["value"] if response.ok else []
        if rows:
            change = Change(
                ChangeKind.UPDATED,
                self._folder,
                ItemId(rows[0]["id"]),
                received=parse_time(rows[0].get("receivedDateTime")),
            )
        else:
            self._holes_in_a_row += 1
            following = self._list(state | {"skip": state["skip"] + 1}, ID_AND_TIME, 1, expand=False)
            if not following.ok:
                raise (failed or following).folder_error()
            if self._holes_in_a_row > MAX_HOLES_IN_A_ROW:
                raise ExchangeFailed("several consecutive emails cannot be listed")
            # The id is derived from the number of unlisted emails so far, so that the next listing derives the same id.
            state["holes"] = state.get("holes", 0) + 1
            name = hashlib.sha256(f"{self._folder} {state['holes']}".encode()).hexdigest()[:40]
            change = Change(ChangeKind.UPDATED, self._folder, ItemId(UNLISTED + name))
        return self._make_page([change], scope, state | {"skip": state["skip"] + 1})

    def _split(
        self, rows: Sequence[Mapping[str, Any]], state: dict[str, Any]
    ) -> tuple[Sequence[Mapping[str, Any]], dict[str, Any]]:
        """Return the rows to report now, and the state in which the next page starts.

        Emails of the same second stay in one window: the next window contains only emails before that second.
        """
        times = [str(row.get("receivedDateTime") or "") for row in rows]
        newest = max([state.get("newest", ""), *times])
        next_state = state | {"newest": newest}
        done = len(rows) < self._size or (state["down"] and times[-1] < state["down"])
        requested, self._size = self._size, min(self._usual_size, self._size * PAGE_SIZE_DIVISOR)
        if done:
            return rows, {"newest": newest, "tries": state["tries"], "looks": state["looks"]}
        reported = [row for row, time in zip(rows, times, strict=True) if time != times[-1]]
        if not reported:
            return rows, next_state | {"skip": state["skip"] + requested}
        return reported, next_state | {"below": times[len(reported) - 1], "skip": 0}

    def _list(self, state: Mapping[str, Any], select: str, top: int, *, expand: bool = True) -> GraphResponse:
        options: dict[str, str | int] = {"select": select, "orderby": "receivedDateTime desc", "top": top}
        if expand:
            options["expand"] = EXPAND
        if state["below"]:
            options["filter"] = f"receivedDateTime lt {state['below']}"
        if state["skip"]:
            options["skip"] = state["skip"]
        return self._mailbox.get(self._mailbox.path("mailFolders", self._folder, "messages", **options))

    def _make_page(
        self, changes: list[Change], scope: CursorScope, state: dict[str, Any]
    ) -> tuple[ChangePage, CursorScope]:
        after = replace(scope, around=state)
        return ChangePage(tuple(changes), after.cursor(), last="below" not in state, reports_removals=False), after

    def _error(self, response: GraphResponse) -> Exception:
        error = response.folder_error()
        return FolderGone(error.detail) if response.code().casefold() in FOLDER_GONE_CODES else error


def _overlap_start(newest: str) -> str:
    """Return the time `OVERLAP` before `newest`, in Graph's format. Blank where no email was listed yet."""
    time: datetime | None = parse_time(newest)
    return (time - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""
