"""List the changes of the folder tree of a mailbox, and identify its well-known folders, such as the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from exchangelib.errors import EWSError
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import ExtendedPropertyField, FieldPath
from exchangelib.folders import Folder as EwsFolder
from exchangelib.properties import FolderId as EwsFolderId
from exchangelib.util import TNS
from exchangelib.version import EXCHANGE_2013

from integrations.errors import ExchangeFailed, InboxHidden
from integrations.ews.errors import product_error
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.operations import GetFolder, SyncFolderHierarchy
from integrations.ews.responses import code_of
from integrations.folder_classes import holds_mail, read_since
from integrations.messages import Cursor, Folder, FolderChanges, FolderId, FolderKind
from integrations.network.values import whole_number

WELL_KNOWN = {
    "inbox": FolderKind.INBOX,
    "sentitems": FolderKind.SENT,
    "drafts": FolderKind.DRAFTS,
    "outbox": FolderKind.OUTBOX,
    "junkemail": FolderKind.JUNK,
    "deleteditems": FolderKind.DELETED,
}
SINCE_2013 = {
    "syncissues": FolderKind.SYNC_ISSUES,
    "conversationhistory": FolderKind.CONVERSATION_HISTORY,
}
API_2013 = EXCHANGE_2013.api_version()
"""First EWS version that supports the folders in `SINCE_2013`. The names of versions sort by age."""
MISSING_CODES = {"ErrorFolderNotFound", "ErrorItemNotFound", "ErrorAccessDenied"}
"""Codes for a well-known folder that does not exist in the mailbox, or that the account may not see."""
HIDDEN_CODES = {"ErrorFolderNotFound", "ErrorItemNotFound", "ErrorSyncFolderNotFound"}
"""Codes for a folder that does not exist or that the account may not see (Microsoft's reference of ResponseCode)."""
RSS_CLASS = "ipf.note.outlookhomepage"
MAX_PAGES = 1000


class _Hidden(ExtendedProperty):
    """PidTagAttributeHidden, [MS-OXPROPS] 2.611. EWS lists hidden folders together with visible ones."""

    property_tag = 0x10F4
    property_type = "Boolean"


FIELDS = [
    *(
        FieldPath(field=EwsFolder.get_field_by_fieldname(name))
        for name in ("parent_folder_id", "name", "folder_class", "total_count")
    ),
    FieldPath(field=ExtendedPropertyField("hidden", value_cls=_Hidden)),
]


@contextmanager
def _inbox_hidden_errors() -> Iterator[None]:
    """Raise `InboxHidden` if Exchange reports the inbox or the top folder as missing. Every mailbox has both folders."""
    try:
        yield
    except EWSError as error:
        if code_of(error) in HIDDEN_CODES:
            raise InboxHidden(code_of(error)) from error
        raise


@_inbox_hidden_errors()
def folder_changes(account: MailboxAccount, after: Cursor | None) -> FolderChanges:
    """Return the changes of the folder tree since a cursor.

    Sends one request per page, and one more request if a folder changed.

    Args:
        account: The mailbox.
        after: Cursor of the previous call; None for the whole tree.

    Returns:
        Changed folders, ids of folders that are gone, and the next cursor.

    Raises:
        InboxHidden: The account cannot see the tree.
        ExchangeFailed: The response has no sync state, or the tree does not end after `MAX_PAGES` pages.
        IntegrationError: The kinds of the well-known folders cannot be read.
        EWSError: Any other error of Exchange.
    """
    service = SyncFolderHierarchy(account=account)
    state: str | None = after
    changed: dict[FolderId, Any] = {}
    gone: dict[FolderId, None] = {}
    for _ in range(MAX_PAGES):
        previous = state
        outcomes = service.call(
            folder=account.distinguished("msgfolderroot"), shape="IdOnly", additional_fields=FIELDS, sync_state=state
        )
        for outcome in outcomes:
            _apply(outcome, changed, gone)
        state = service.sync_state
        if not state:
            raise ExchangeFailed("the response has no sync state")
        if service.includes_last_item_in_range or state == previous:
            kinds = _kinds(account) if changed else {}
            folders = tuple(_folder(folder_id, element, kinds) for folder_id, element in changed.items())
            return FolderChanges(folders, tuple(gone), Cursor(state))
    raise ExchangeFailed("the list of folders does not end")


def _apply(outcome: Any, changed: dict[FolderId, Any], gone: dict[FolderId, None]) -> None:
    if isinstance(outcome, Exception):
        raise outcome
    element = outcome[0]
    folder_id = FolderId(
        (element if element.tag.endswith("}FolderId") else element.find(f"{{{TNS}}}FolderId")).get("Id")
    )
    if outcome.tag == f"{{{TNS}}}Delete":
        changed.pop(folder_id, None)
        gone[folder_id] = None
    else:
        gone.pop(folder_id, None)
        changed[folder_id] = element


def _folder(folder_id: FolderId, element: Any, kinds: Mapping[str, FolderKind]) -> Folder:
    parent = element.find(f"{{{TNS}}}ParentFolderId")
    folder_class = element.findtext(f"{{{TNS}}}FolderClass") or ""
    kind = kinds.get(folder_id, FolderKind.RSS if folder_class.casefold() == RSS_CLASS else FolderKind.ORDINARY)
    # Only one extended property is requested.
    hidden = element.findtext(f"{{{TNS}}}ExtendedProperty/{{{TNS}}}Value") in ("true", "1")
    # A search folder shows emails that are stored in other folders, and it cannot be listed.
    is_search = element.tag == f"{{{TNS}}}SearchFolder"
    return Folder(
        id=folder_id,
        parent_id=FolderId(parent.get("Id")) if parent is not None else None,
        name=element.findtext(f"{{{TNS}}}DisplayName") or "",
        kind=kind,
        holds_mail=not is_search and not hidden and holds_mail(folder_class),
        total=_count(element.findtext(f"{{{TNS}}}TotalCount")),
        folder_class=folder_class,
        hidden=hidden,
        read_since=read_since(folder_class),
    )


def _count(text: str | None) -> int | None:
    return whole_number(text) if text and text.isdecimal() else None


def _kinds(account: MailboxAccount) -> dict[str, FolderKind]:
    """Return the kinds of the well-known folders of this mailbox by folder id, from one request.

    Any error except `MISSING_CODES` is raised, even a transient one. If an error about the Drafts folder were ignored,
    for example, Drafts would be stored as an ordinary folder, and drafts would be pushed to Re:infer.
    """
    names = dict(WELL_KNOWN)
    if account.version.build >= EXCHANGE_2013 and account.version.api_version >= API_2013:
        names |= SINCE_2013
    requested = [account.distinguished(name) for name in names]
    outcomes = GetFolder(account=account).call(folders=requested, additional_fields=[], shape="IdOnly")
    kinds_by_id = {}
    for kind, outcome in zip(names.values(), outcomes, strict=True):
        if not isinstance(outcome, Exception):
            kinds_by_id[outcome.find(f"{{{TNS}}}FolderId").get("Id")] = kind
        elif code_of(outcome) not in MISSING_CODES:
            raise product_error(outcome) from outcome
    return kinds_by_id


@_inbox_hidden_errors()
def read_inbox(account: MailboxAccount) -> None:
    """Open the inbox for reading.

    Args:
        account: The mailbox.

    Raises:
        InboxHidden: The account cannot see the inbox.
        EWSError: Any other error of Exchange.
    """
    outcomes = GetFolder(account=account).call(
        folders=[account.distinguished("inbox")], additional_fields=[], shape="IdOnly"
    )
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def ews_folder(folder: FolderId) -> EwsFolderId:
    """Convert a folder id to the class of exchangelib.

    Args:
        folder: Id of the folder.

    Returns:
        Folder id for a request.
    """
    return EwsFolderId(id=folder)
