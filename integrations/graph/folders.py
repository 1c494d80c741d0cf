"""The folder tree of a mailbox: what changed in it, and which folders are the well-known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from integrations.errors import CursorRefused, ExchangeFailed
from integrations.graph.batches import batch_of
from integrations.graph.cursors import TREE, begun_or_resumed, local
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.refusals import parts_of
from integrations.messages import Cursor, Folder, FolderChanges, FolderId, FolderKind
from integrations.network.values import LARGEST_NUMBER

ROOT = "root"
WELL_KNOWN = {
    "msgfolderroot": ROOT,
    "inbox": FolderKind.INBOX,
    "sentitems": FolderKind.SENT,
    "drafts": FolderKind.DRAFTS,
    "outbox": FolderKind.OUTBOX,
    "junkemail": FolderKind.JUNK,
    "deleteditems": FolderKind.DELETED,
    "syncissues": FolderKind.SYNC_ISSUES,
    "conversationhistory": FolderKind.CONVERSATION_HISTORY,
}
SELECT = "id,displayName,parentFolderId,totalItemCount,isHidden"
PAGE_SIZE = 200
MOST_PAGES = 1000


def folder_changes(mailbox: GraphMailbox, after: Cursor | None) -> FolderChanges:
    """What changed in the tree since `after`. Costs a request, and a batch where a folder is not yet known by its kind."""
    place = begun_or_resumed(mailbox.address, TREE, after)
    changed: dict[str, Mapping[str, Any]] = {}
    gone: dict[str, None] = {}
    link = place.link or mailbox.path("mailFolders", "delta", select=SELECT)
    for _ in range(MOST_PAGES):
        page = _page(mailbox, link, resumed=bool(place.link))
        for row in _rows(page):
            _sort(row, changed, gone)
        ahead = page.get("@odata.nextLink")
        before, link = link, local(ahead or page.get("@odata.deltaLink"), mailbox.connection.settings.base)
        if ahead and link == before:
            break
        if not ahead:
            kinds = place.kinds if changed.keys() <= place.kinds.keys() else _kinds(mailbox)
            folders = tuple(_folder(row, kinds) for row in changed.values() if kinds.get(row["id"]) != ROOT)
            cursor = replace(place, link=link, first=False, kinds=kinds).cursor()
            return FolderChanges(folders, tuple(FolderId(one) for one in gone), cursor)
    raise ExchangeFailed("its folder tree has no end")


def read_inbox(mailbox: GraphMailbox) -> None:
    """Open the mailbox; raises what keeps us from it."""
    mailbox.ask(mailbox.path("mailFolders", "inbox", select="id")).of_every_mailbox().document()


def _page(mailbox: GraphMailbox, link: str, *, resumed: bool) -> Mapping[str, Any]:
    answer = mailbox.ask(link, page_size=PAGE_SIZE)
    if resumed and answer.may_refuse_the_link():
        raise CursorRefused(answer.refusal().detail)
    return answer.of_every_mailbox().document()


def _rows(page: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for row in page["value"]:
        if not isinstance(row["id"], str):
            raise TypeError
        yield row


def _sort(row: Mapping[str, Any], changed: dict[str, Mapping[str, Any]], gone: dict[str, None]) -> None:
    folder_id = row["id"]
    if "@removed" in row:
        changed.pop(folder_id, None)
        gone[folder_id] = None
    else:
        gone.pop(folder_id, None)
        changed[folder_id] = row


def _folder(row: Mapping[str, Any], kinds: Mapping[str, str]) -> Folder:
    parent, total, hidden = row.get("parentFolderId"), row.get("totalItemCount"), row.get("isHidden") is True
    # A search folder shows what lies elsewhere.
    is_search = str(row.get("@odata.type", "")).endswith("mailSearchFolder")
    return Folder(
        id=FolderId(row["id"]),
        parent_id=FolderId(parent) if isinstance(parent, str) and parent else None,
        name=str(row.get("displayName") or ""),
        kind=FolderKind(kinds.get(row["id"], FolderKind.ORDINARY)),
        holds_mail=not is_search and not hidden,
        total=min(total, LARGEST_NUMBER) if type(total) is int and total >= 0 else None,
        hidden=hidden,
    )


def _kinds(mailbox: GraphMailbox) -> dict[str, str]:
    """The well-known folders by their ids, asked for in one batch. A mailbox may lack some of them."""
    names = list(WELL_KNOWN)
    batch = batch_of([mailbox.relative("mailFolders", name, select="id") for name in names])
    answers = parts_of(mailbox.connection.ask(batch).document())
    if answers.keys() != {str(number) for number in range(len(names))}:
        # Drafts that were taken for an ordinary folder would be sent.
        raise ExchangeFailed("it did not answer about each well-known folder")
    kinds: dict[str, str] = {}
    for number, answer in answers.items():
        if answer.status not in (403, 404):
            kinds[str(answer.document()["id"])] = WELL_KNOWN[names[int(number)]]
    if FolderKind.INBOX not in kinds.values():
        raise ExchangeFailed("it does not tell which folder is the inbox")
    return kinds
