"""List the changes of one folder, page by page, with those item properties that Exchange lists at almost no cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exchangelib.fields import FieldPath
from exchangelib.items import Message
from exchangelib.util import TNS

from integrations.errors import AccessDenied, CursorRefused, ExchangeFailed, FolderGone, FolderRefused
from integrations.ews.errors import product_error, translated_errors
from integrations.ews.folders import ews_folder
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.operations import SyncFolderItems
from integrations.ews.responses import code_of
from integrations.messages import Change, ChangeKind, ChangePage, Cursor, FolderId, ItemId
from integrations.network.values import parse_time, whole_number

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
MAX_UNCHANGED_STATES = 3
"""The listing fails at this many consecutive pages that announce more changes without changing the sync state."""


def change_pages(
    account: MailboxAccount, folder: FolderId, after: Cursor | None, page_size: int
) -> Iterator[ChangePage]:
    """Yield the pages of changes since a cursor, with one request per page.

    Args:
        account: Mailbox of the folder.
        folder: Id of the folder.
        after: Cursor of the last page that was processed; None to list the whole folder.
        page_size: Items per page.

    Yields:
        Pages in order. The cursor of a page continues after that page.

    Raises:
        CursorRefused: Exchange does not accept the sync state.
        FolderGone: Exchange does not find the folder: it was deleted, or the account may not see it.
        FolderRefused: The account may not read the folder.
        ExchangeFailed: The response has no sync state, the state does not change, or Exchange has an internal error.
        IntegrationError: Any other error of the request.
    """
    service = SyncFolderItems(account=account)
    state: str | None = after
    unchanged = 0
    while True:
        previous = state
        with _folder_errors():
            changes = [_change(folder, outcome) for outcome in _page(service, folder, state, page_size)]
        state = service.sync_state
        if not state:
            raise ExchangeFailed("the response has no sync state")
        last = bool(service.includes_last_item_in_range)
        unchanged = unchanged + 1 if state == previous and not last else 0
        if unchanged >= MAX_UNCHANGED_STATES:
            raise ExchangeFailed("the server announces more changes, but the sync state does not change")
        yield ChangePage(tuple(changes), Cursor(state), last)
        if last:
            return


@contextmanager
def _folder_errors() -> Iterator[None]:
    """Translate the errors of a request for one folder. `AccessDenied` becomes `FolderRefused` for this folder."""
    try:
        with translated_errors():
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
        error = product_error(outcome)
        if code_of(outcome) == "ErrorItemNotFound":
            raise FolderGone(code_of(outcome)) from outcome
        raise (error if not isinstance(error, CursorRefused) else CursorRefused()) from outcome
    kind = KINDS[outcome.tag]
    if kind in (ChangeKind.DELETED, ChangeKind.READ):
        return Change(kind, folder, ItemId(outcome.find(f"{{{TNS}}}ItemId").get("Id")))
    # The only child is the item. Its tag depends on the item class, and newer servers have more classes.
    return change_of(kind, folder, outcome[0])


def change_of(kind: ChangeKind, folder: FolderId, item: Any) -> Change:
    """Convert an item element of a listing to a change.

    Args:
        kind: Kind of the change.
        folder: Id of the listed folder.
        item: XML element with the fields `FIELDS`.

    Returns:
        The change.
    """
    item_id = item.find(f"{{{TNS}}}ItemId")
    return Change(
        kind=kind,
        folder_id=folder,
        item_id=ItemId(item_id.get("Id")),
        change_key=item_id.get("ChangeKey") or "",
        item_class=item.findtext(f"{{{TNS}}}ItemClass") or "",
        message_id=item.findtext(f"{{{TNS}}}InternetMessageId") or "",
        received=parse_time(item.findtext(f"{{{TNS}}}DateTimeReceived")),
        size=whole_number(item.findtext(f"{{{TNS}}}Size")),
        draft=item.findtext(f"{{{TNS}}}IsDraft") == "true",
    )
