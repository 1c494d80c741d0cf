"""The folder tree of a mailbox: what changed in it, and which folders are the well-known ones."""

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
from integrations.ews.errors import translate
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
"""Versions of the API compare as their names do."""
NOT_THERE = {"ErrorFolderNotFound", "ErrorItemNotFound", "ErrorAccessDenied"}
"""What becomes of a well-known folder that a mailbox lacks, or that this account may not see."""
HIDDEN = {"ErrorFolderNotFound", "ErrorItemNotFound", "ErrorSyncFolderNotFound"}
"""Exchange says it of what is not there, and of what the account has no right to see (documentation of ResponseCode)."""
RSS_CLASS = "ipf.note.outlookhomepage"
MOST_PAGES = 1000


class _Hidden(ExtendedProperty):
    """PidTagAttributeHidden, [MS-OXPROPS] 2.611: EWS lists hidden folders like all others."""

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
def _what_every_mailbox_has() -> Iterator[None]:
    """Around what asks for the inbox or the top folder: they cannot be gone."""
    try:
        yield
    except EWSError as error:
        if code_of(error) in HIDDEN:
            raise InboxHidden(code_of(error)) from error
        raise


@_what_every_mailbox_has()
def folder_changes(account: MailboxAccount, after: Cursor | None) -> FolderChanges:
    """What changed in the tree since `after`. Costs one request, and a second when something did."""
    service = SyncFolderHierarchy(account=account)
    state: str | None = after
    changed: dict[FolderId, Any] = {}
    gone: dict[FolderId, None] = {}
    for _ in range(MOST_PAGES):
        before = state
        outcomes = service.call(
            folder=account.distinguished("msgfolderroot"), shape="IdOnly", additional_fields=FIELDS, sync_state=state
        )
        for outcome in outcomes:
            _sort(outcome, changed, gone)
        state = service.sync_state
        if not state:
            raise ExchangeFailed("it gave no sync state")
        if service.includes_last_item_in_range or state == before:
            kinds = _kinds(account) if changed else {}
            folders = tuple(_folder(folder_id, element, kinds) for folder_id, element in changed.items())
            return FolderChanges(folders, tuple(gone), Cursor(state))
    raise ExchangeFailed("its folder tree has no end")


def _sort(outcome: Any, changed: dict[FolderId, Any], gone: dict[FolderId, None]) -> None:
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
    # The only extended property that is asked for.
    hidden = element.findtext(f"{{{TNS}}}ExtendedProperty/{{{TNS}}}Value") in ("true", "1")
    # A search folder holds nothing of its own: its mail lies in other folders, and it cannot be listed.
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
    """The ids of the well-known folders that this mailbox has, in one request.

    Raises what may pass: Drafts that were taken for an ordinary folder would stay one, and be sent.
    """
    names = dict(WELL_KNOWN)
    if account.version.build >= EXCHANGE_2013 and account.version.api_version >= API_2013:
        names |= SINCE_2013
    asked = [account.distinguished(name) for name in names]
    outcomes = GetFolder(account=account).call(folders=asked, additional_fields=[], shape="IdOnly")
    found = {}
    for kind, outcome in zip(names.values(), outcomes, strict=True):
        if not isinstance(outcome, Exception):
            found[outcome.find(f"{{{TNS}}}FolderId").get("Id")] = kind
        elif code_of(outcome) not in NOT_THERE:
            raise translate(outcome) from outcome
    return found


@_what_every_mailbox_has()
def read_inbox(account: MailboxAccount) -> None:
    """Open the inbox for reading; raises what keeps us from it."""
    outcomes = GetFolder(account=account).call(
        folders=[account.distinguished("inbox")], additional_fields=[], shape="IdOnly"
    )
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def ews_folder(folder: FolderId) -> EwsFolderId:
    return EwsFolderId(id=folder)
