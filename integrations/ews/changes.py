"""What changed in one folder, page by page, with the few facts about each item that cost next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exchangelib.fields import FieldPath
from exchangelib.items import Message
from exchangelib.util import TNS

from integrations.errors import AccessDenied, CursorRefused, ExchangeFailed, FolderGone, FolderRefused
from integrations.ews.errors import translate, translated
from integrations.ews.folders import ews_folder
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.operations import SyncFolderItems
from integrations.ews.responses import code_of
from integrations.messages import Change, ChangeKind, ChangePage, Cursor, FolderId, ItemId
from integrations.network.values import moment, whole_number

FIELDS = [
    FieldPath(field=Message.get_field_by_fieldname(name))
    for name in ("item_class", "message_id", "datetime_received", "size", "is_draft")
]
KINDS = {
    f"{{{TNS}}}Create": ChangeKind.CREATED,
    f"{{{TNS}}}Update": ChangeKind.UPDATED,
    f"{{{TNS}}}Delete": ChangeKind.DELETED,
    f"{{{TNS}}}ReadFlagChange": ChangeKind.READ,
}
SAME_STATE_MOST = 3
"""Pages in a row that bring no other state, though the server says that there is more."""


def change_pages(
    account: MailboxAccount, folder: FolderId, after: Cursor | None, page_size: int
) -> Iterator[ChangePage]:
    """Pages since `after`, one request each.

    Raises `CursorRefused`, `FolderGone` and `FolderRefused`, and what the transport raises.
    """
    service = SyncFolderItems(account=account)
    state: str | None = after
    stuck = 0
    while True:
        before = state
        with _about_folder():
            changes = [_change(folder, outcome) for outcome in _page(service, folder, state, page_size)]
        state = service.sync_state
        if not state:
            raise ExchangeFailed("it gave no sync state")
        last = bool(service.includes_last_item_in_range)
        stuck = stuck + 1 if state == before and not last else 0
        if stuck >= SAME_STATE_MOST:
            raise ExchangeFailed("it announces changes that it never tells")
        yield ChangePage(tuple(changes), Cursor(state), last)
        if last:
            return


@contextmanager
def _about_folder() -> Iterator[None]:
    """Around a request about one folder. Exchange has one word for what may not be read; here it means the folder."""
    try:
        with translated():
            yield
    except AccessDenied as error:
        raise FolderRefused(error.detail, of_mailbox=error) from error


def _page(service: SyncFolderItems, folder: FolderId, state: str | None, page_size: int) -> Iterator[Any]:
    return service.call(  # type: ignore[no-any-return]
        folder=ews_folder(folder),
        shape="IdOnly",
        additional_fields=FIELDS,
        sync_state=state,
        ignore=None,
        max_changes_returned=page_size,
        sync_scope=None,
    )


def _change(folder: FolderId, outcome: Any) -> Change:
    if isinstance(outcome, Exception):
        error = translate(outcome)
        if code_of(outcome) == "ErrorItemNotFound":
            raise FolderGone(code_of(outcome)) from outcome
        raise (error if not isinstance(error, CursorRefused) else CursorRefused()) from outcome
    kind = KINDS[outcome.tag]
    if kind in (ChangeKind.DELETED, ChangeKind.READ):
        return Change(kind, folder, ItemId(outcome.find(f"{{{TNS}}}ItemId").get("Id")))
    # Which element it is depends on the class of the item, and new ones come with new servers.
    return change_of(kind, folder, outcome[0])


def change_of(kind: ChangeKind, folder: FolderId, item: Any) -> Change:
    """An item element with the fields of a listing as a change."""
    item_id = item.find(f"{{{TNS}}}ItemId")
    return Change(
        kind=kind,
        folder_id=folder,
        item_id=ItemId(item_id.get("Id")),
        change_key=item_id.get("ChangeKey") or "",
        item_class=item.findtext(f"{{{TNS}}}ItemClass") or "",
        message_id=item.findtext(f"{{{TNS}}}InternetMessageId") or "",
        received=moment(item.findtext(f"{{{TNS}}}DateTimeReceived")),
        size=whole_number(item.findtext(f"{{{TNS}}}Size")),
        draft=item.findtext(f"{{{TNS}}}IsDraft") == "true",
    )
