"""The folder tree of a mailbox: its changes, and which folders are the well-known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from integrations.errors import CursorRefused, ExchangeFailed
from integrations.graph.batches import batch_request
from integrations.graph.cursors import TREE, local_path, start_or_resume
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.responses import parts_of
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
"""Folders per page."""
MAX_PAGES = 1000


def folder_changes(mailbox: GraphMailbox, after: Cursor | None) -> FolderChanges:
    """Return the changes of the folder tree since a cursor.

    Sends one request per page, and one batch request if the kind of a changed folder is not stored yet.

    Args:
        mailbox: The mailbox.
        after: Cursor of the previous call; None for the whole tree.

    Returns:
        Changed folders, ids of deleted folders, and the next cursor.

    Raises:
        CursorRefused: The cursor cannot be used.
        ExchangeFailed: The tree does not end after `MAX_PAGES` pages, or a response is incomplete.
        InboxHidden: The account cannot see the tree.
    """
    scope = start_or_resume(mailbox.address, TREE, after)
    changed: dict[str, Mapping[str, Any]] = {}
    gone: dict[str, None] = {}
    link = scope.link or mailbox.path("mailFolders", "delta", select=SELECT)
    for _ in range(MAX_PAGES):
        page = _page(mailbox, link, resumed=bool(scope.link))
        for row in _rows(page):
            _apply(row, changed, gone)
        next_link = page.get("@odata.nextLink")
        previous, link = link, local_path(next_link or page.get("@odata.deltaLink"), mailbox.connection.settings.base)
        if next_link and link == previous:
            break
        if not next_link:
            kinds = scope.kinds if changed.keys() <= scope.kinds.keys() else _kinds(mailbox)
            folders = tuple(_folder(row, kinds) for row in changed.values() if kinds.get(row["id"]) != ROOT)
            cursor = replace(scope, link=link, first=False, kinds=kinds).cursor()
            return FolderChanges(folders, tuple(FolderId(folder_id) for folder_id in gone), cursor)
    raise ExchangeFailed("the list of folders does not end")


def read_inbox(mailbox: GraphMailbox) -> None:
    """Request the inbox, to check that the account can read the mailbox.

    Args:
        mailbox: The mailbox.

    Raises:
        IntegrationError: The reason why the inbox cannot be read.
    """
    mailbox.get(mailbox.path("mailFolders", "inbox", select="id")).require_visible().document()


def _page(mailbox: GraphMailbox, link: str, *, resumed: bool) -> Mapping[str, Any]:
    response = mailbox.get(link, page_size=PAGE_SIZE)
    if resumed and response.may_reject_link():
        raise CursorRefused(response.error().detail)
    return response.require_visible().document()


def _rows(page: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for row in page["value"]:
        if not isinstance(row["id"], str):
            raise TypeError
        yield row


def _apply(row: Mapping[str, Any], changed: dict[str, Mapping[str, Any]], gone: dict[str, None]) -> None:
    folder_id = row["id"]
    if "@removed" in row:
        changed.pop(folder_id, None)
        gone[folder_id] = None
    else:
        gone.pop(folder_id, None)
        changed[folder_id] = row


def _folder(row: Mapping[str, Any], kinds: Mapping[str, str]) -> Folder:
    parent, total, hidden = row.get("parentFolderId"), row.get("totalItemCount"), row.get("isHidden") is True
    # A search folder shows emails that are stored in other folders.
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
    """Return the kinds of the well-known folders by folder id, from one batch. A mailbox may lack some of them."""
    names = list(WELL_KNOWN)
    batch = batch_request([mailbox.relative("mailFolders", name, select="id") for name in names])
    responses = parts_of(mailbox.connection.ask(batch).document())
    if responses.keys() != {str(number) for number in range(len(names))}:
        # Without its kind, Junk Email would count as an ordinary folder, and its mail would be pushed.
        raise ExchangeFailed("the response does not cover every well-known folder")
    kinds: dict[str, str] = {}
    for number, response in responses.items():
        if response.status not in (403, 404):
            kinds[str(response.document()["id"])] = WELL_KNOWN[names[int(number)]]
    if FolderKind.INBOX not in kinds.values():
        raise ExchangeFailed("the response does not name the inbox")
    return kinds
