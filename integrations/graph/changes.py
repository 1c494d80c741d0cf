"""What changed in one folder, page by page, by Graph's change tracking.

A page that Graph cannot tell, because of one email in it, is asked for again in smaller pieces, and what remains then is gone
around: see `around`. What is told as removed is asked for by its id before it is believed: see `whereabouts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from integrations.errors import CursorRefused, ExchangeFailed, FolderGone, IntegrationError
from integrations.graph.around import NO_FOLDER, SMALLER, Around
from integrations.graph.batches import AT_ONCE
from integrations.graph.cursors import CursorScope, begun_or_resumed, local
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import Messages
from integrations.graph.refusals import GraphAnswer
from integrations.graph.rows import EXPAND, SELECT
from integrations.graph.whereabouts import MOST_UNCLEAR, whereabouts
from integrations.messages import Change, ChangeKind, ChangePage, Cursor, FolderId, ItemId

PATIENCE = 2
"""Syncs that fail at a page of one email before it is gone around: most troubles pass."""


def change_pages(
    mailbox: GraphMailbox, folder: FolderId, after: Cursor | None, page_size: int, messages: Messages
) -> Iterator[ChangePage]:
    """Pages of changes since `after`, each with the cursor behind it. One request for a page."""
    place = begun_or_resumed(mailbox.address, folder, after)
    listing = _Listing(mailbox, folder, page_size, messages)
    while True:
        page, place = listing.page(place)
        yield page
        if page.last:
            return


class _Listing:
    def __init__(self, mailbox: GraphMailbox, folder: FolderId, page_size: int, messages: Messages) -> None:
        self._mailbox, self._folder, self._usual, self._messages = mailbox, folder, page_size, messages
        self._of = (mailbox.address.casefold(), str(folder))
        self._around = Around(mailbox, folder, page_size, messages)
        self._asked: set[str] = set()
        """Messages told as removed that were asked for in this look at the folder."""
        self._asked_again = False

    def page(self, place: CursorScope) -> tuple[ChangePage, CursorScope]:
        """The next page, and the place behind it."""
        if place.removed:
            return self._located(place)
        if place.around is not None and not self._around.is_to_try_again(place.around):
            return self._around.page(place)
        answer = self._told(place)
        if answer.ok:
            return self._read(answer.document(), replace(place, around=None))
        if answer.may_be_its_content() and self._is_lasting(place):
            return self._around.page(place, failed=answer)
        raise self._refusal(answer, place)

    def _is_lasting(self, place: CursorScope) -> bool:
        """Whether the smallest page failed often enough to be no passing trouble."""
        return place.around is not None or self._mailbox.connection.page_sizes.failed(self._of) > PATIENCE

    def _told(self, place: CursorScope) -> GraphAnswer:
        """The answer to the link, in pieces as small as they must be; what it says to the smallest where even that fails."""
        sizes = self._mailbox.connection.page_sizes
        size = 1 if place.around is not None else sizes.get(self._of, self._usual)
        link = place.link or self._mailbox.path(
            "mailFolders", self._folder, "messages", "delta", select=SELECT, expand=EXPAND
        )
        while True:
            # Noted before it is asked: what takes all the time there is must not be asked for in the same way again.
            smaller = max(1, size // SMALLER)
            sizes.set(self._of, smaller, self._usual)
            answer = self._mailbox.ask(link, page_size=size)
            if answer.ok or not answer.may_be_its_content():
                sizes.set(self._of, min(size * SMALLER, self._usual) if answer.ok else size, self._usual)
                if answer.ok:
                    sizes.passed(self._of)
                return answer
            if size == 1:
                return answer
            size = smaller

    def _read(self, page: Mapping[str, Any], place: CursorScope) -> tuple[ChangePage, CursorScope]:
        ahead = page.get("@odata.nextLink")
        link = local(ahead or page.get("@odata.deltaLink"), self._mailbox.connection.settings.base)
        if ahead and link == place.link:
            raise ExchangeFailed("its pages have no end")
        kind = ChangeKind.CREATED if place.first else ChangeKind.UPDATED
        changes = self._messages.changes(self._folder, page["value"], kind)
        removed = [change.item_id for change in changes if change.kind is ChangeKind.DELETED]
        behind = replace(place, link=link, first=place.first and bool(ahead), removed=removed, ahead=bool(ahead))
        told = [change for change in changes if change.kind is not ChangeKind.DELETED]
        return self._made(told, behind)

    def _located(self, place: CursorScope) -> tuple[ChangePage, CursorScope]:
        """The next of those that were told as removed, wherever they are by now. A page of their own: the cursor holds the
        others, so that none is lost and each step takes one batch."""
        now = [ItemId(item) for item in place.removed[:AT_ONCE]]
        self._asked.update(now)
        found = whereabouts(self._mailbox, self._messages, self._folder, now)
        unclear = [*(item for item in place.unclear if item not in now), *found.unclear]
        given_up = [Change(ChangeKind.DELETED, self._folder, ItemId(item)) for item in unclear[:-MOST_UNCLEAR]]
        behind = replace(place, removed=place.removed[AT_ONCE:], unclear=unclear[-MOST_UNCLEAR:])
        return self._made([*found.changes, *given_up], behind)

    def _made(self, changes: list[Change], behind: CursorScope) -> tuple[ChangePage, CursorScope]:
        last = not (behind.removed or behind.ahead)
        waiting = [item for item in behind.unclear if item not in self._asked][:AT_ONCE]
        if last and waiting and not self._asked_again:
            # One batch for each look at the folder, of those that wait longest.
            self._asked_again, last = True, False
            rest = [item for item in behind.unclear if item not in waiting]
            behind = replace(behind, removed=waiting, unclear=rest)
        return ChangePage(tuple(changes), behind.cursor(), last), behind

    def _refusal(self, answer: GraphAnswer, place: CursorScope) -> IntegrationError:
        refusal = answer.refusal_of_folder()
        if answer.code().casefold() in NO_FOLDER:
            return FolderGone(refusal.detail)
        if place.link and answer.may_refuse_the_link():
            return CursorRefused(refusal.detail)
        return refusal
