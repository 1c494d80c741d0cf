"""Around an email that Graph's change tracking cannot tell of.

Where even a page of one email fails, the link behind it cannot be had, and with it all that follows. So the plain list of the
folder stands in: newest first, in windows of received time, past the email that fails. Now and then the link is tried again,
and goes on as if nothing had been. Until then new mail is found by the plain list of what arrived lately; each time that the
link was tried in vain the folder is listed whole, and what was deleted meanwhile the link tells later.

A checkpoint in here holds the link and how far the plain list has come, so nothing is skipped, whatever ends us.
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
from integrations.graph.messages import Messages
from integrations.graph.refusals import GraphAnswer
from integrations.graph.rows import EXPAND, SELECT, is_whole
from integrations.messages import Change, ChangeKind, ChangePage, FolderId, ItemId
from integrations.network.values import moment

LONGEST_WAIT = 30
"""Looks at the folder between two tries of the link; the first tries come sooner."""
NO_FOLDER = {"erroritemnotfound", "errorfoldernotfound", "errorinvalididmalformed"}
OVERLAP = timedelta(hours=1)
"""How far behind the newest email of the last look the next one goes: mail does not arrive in the order of its times."""
SLIM = "id,receivedDateTime"
SMALLER = 8
"""A page that cannot be told is asked for in pieces of so many parts."""
UNLISTED = "unlisted-"
"""How the id begins that we give to an email of which Graph tells not even the id."""
MOST_IN_A_ROW = 3
"""Emails one after another that cannot be told at all: more of them are a fault of the service."""


def is_unlisted(item: ItemId) -> bool:
    return item.startswith(UNLISTED)


class Around:
    def __init__(self, mailbox: GraphMailbox, folder: FolderId, page_size: int, messages: Messages) -> None:
        self._mailbox, self._folder, self._usual, self._messages = mailbox, folder, page_size, messages
        self._sizes, self._of = mailbox.connection.page_sizes, (mailbox.address.casefold(), f"{folder}, listed")
        self._size = self._sizes.get(self._of, page_size)
        self._in_a_row = 0

    def is_to_try_again(self, state: Mapping[str, Any]) -> bool:
        """Whether the link has waited long enough. Never in the middle of a list."""
        return "below" not in state and state.get("looks", 0) >= min(state.get("tries", 0), LONGEST_WAIT)

    def page(self, place: CursorScope, failed: GraphAnswer | None = None) -> tuple[ChangePage, CursorScope]:
        """The next page of the plain list. `failed`: what the link just answered; then the list begins anew.

        Raises that failure when the plain list fails as well: then it is no single email.
        """
        state = dict(place.around or {})
        if failed is not None:
            tries = state.get("tries", 0) + 1
            state = {"below": "", "skip": 0, "down": "", "newest": state.get("newest", ""), "tries": tries, "looks": 0}
        elif "below" not in state:
            state |= {
                "below": "",
                "skip": 0,
                "down": _earlier(state.get("newest", "")),
                "looks": state.get("looks", 0) + 1,
            }
        rows = self._rows(state)
        if rows is None:
            return self._culprit(place, state, failed)
        self._in_a_row = 0
        kept, behind = self._behind(rows, state)
        return self._made(self._messages.changes(self._folder, kept, ChangeKind.UPDATED), place, behind)

    def _rows(self, state: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
        """The next rows in pieces as small as they must be; None where even one row fails."""
        while True:
            # Noted before it is asked: what takes all the time there is must not be asked for in the same way again.
            self._sizes.set(self._of, max(1, self._size // SMALLER), self._usual)
            answer = self._listed(state, SELECT, self._size)
            if answer.ok:
                self._sizes.set(self._of, min(self._usual, self._size * SMALLER), self._usual)
                rows = answer.document()["value"]
                if all(map(is_whole, rows)):
                    return list(rows)
                return [{"id": row["id"], "receivedDateTime": row.get("receivedDateTime")} for row in rows]
            if not answer.may_be_its_content():
                raise self._refusal(answer)
            if self._size == 1:
                self._size = SMALLER
                return None
            self._size = max(1, self._size // SMALLER)

    def _culprit(
        self, place: CursorScope, state: dict[str, Any], failed: GraphAnswer | None
    ) -> tuple[ChangePage, CursorScope]:
        """The one email that cannot be told: by its id if that can be had, and past it."""
        answer = self._listed(state, SLIM, 1, expand=False)
        rows = answer.document()["value"] if answer.ok else []
        if rows:
            change = Change(
                ChangeKind.UPDATED,
                self._folder,
                ItemId(rows[0]["id"]),
                received=moment(rows[0].get("receivedDateTime")),
            )
        else:
            self._in_a_row += 1
            behind = self._listed(state | {"skip": state["skip"] + 1}, SLIM, 1, expand=False)
            if self._in_a_row > MOST_IN_A_ROW or not behind.ok:
                raise (failed or behind).refusal_of_folder() if not behind.ok else ExchangeFailed("its list has a hole")
            # By its number among those of this list, so that the next list gives it the same name.
            state["holes"] = state.get("holes", 0) + 1
            name = hashlib.sha256(f"{self._folder} {state['holes']}".encode()).hexdigest()[:40]
            change = Change(ChangeKind.UPDATED, self._folder, ItemId(UNLISTED + name))
        return self._made([change], place, state | {"skip": state["skip"] + 1})

    def _behind(
        self, rows: Sequence[Mapping[str, Any]], state: dict[str, Any]
    ) -> tuple[Sequence[Mapping[str, Any]], dict[str, Any]]:
        """What of these rows is told now, and where the next page begins.

        Emails of one second stay together: the next window begins below a time, and would lose the rest of it.
        """
        times = [str(row.get("receivedDateTime") or "") for row in rows]
        newest = max([state.get("newest", ""), *times])
        behind = state | {"newest": newest}
        done = len(rows) < self._size or (state["down"] and times[-1] < state["down"])
        asked, self._size = self._size, min(self._usual, self._size * SMALLER)
        if done:
            return rows, {"newest": newest, "tries": state["tries"], "looks": state["looks"]}
        kept = [row for row, when in zip(rows, times, strict=True) if when != times[-1]]
        if not kept:
            return rows, behind | {"skip": state["skip"] + asked}
        return kept, behind | {"below": times[len(kept) - 1], "skip": 0}

    def _listed(self, state: Mapping[str, Any], select: str, top: int, *, expand: bool = True) -> GraphAnswer:
        options: dict[str, str | int] = {"select": select, "orderby": "receivedDateTime desc", "top": top}
        if expand:
            options["expand"] = EXPAND
        if state["below"]:
            options["filter"] = f"receivedDateTime lt {state['below']}"
        if state["skip"]:
            options["skip"] = state["skip"]
        return self._mailbox.ask(self._mailbox.path("mailFolders", self._folder, "messages", **options))

    def _made(self, changes: list[Change], place: CursorScope, state: dict[str, Any]) -> tuple[ChangePage, CursorScope]:
        behind = replace(place, around=state)
        return ChangePage(tuple(changes), behind.cursor(), last="below" not in state, tells_removals=False), behind

    def _refusal(self, answer: GraphAnswer) -> Exception:
        refusal = answer.refusal_of_folder()
        return FolderGone(refusal.detail) if answer.code().casefold() in NO_FOLDER else refusal


def _earlier(newest: str) -> str:
    """A time in Graph's spelling, as far before this one as the list overlaps. Blank before any email."""
    when: datetime | None = moment(newest)
    return (when - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ") if when else ""
