"""Finds mail folders by id or well-known name, and returns them and their changes as JSON.

Folders of calendars, contacts and tasks are not mail folders. Graph does not return them as mail folders.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from simulators.exchange.changes import ChangeKind, Step
from simulators.exchange.store import Folder, Mailbox
from simulators.graph.errors import Refused
from simulators.graph.identifiers import in_store, shown

WELL_KNOWN = {
    "archive", "clutter", "conflicts", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail",
    "localfailures", "msgfolderroot", "outbox", "recoverableitemsdeletions", "scheduled", "searchfolders", "sentitems",
    "serverfailures", "syncissues",
}  # fmt: skip
PROPERTIES = (
    "id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "sizeInBytes",
    "isHidden",
)  # fmt: skip
"""The properties of v1.0. `wellKnownName` exists only in the beta version."""


def find_folder(mailbox: Mailbox, name: str) -> Folder:
    """Find a folder by a well-known name or an id. Raises `Refused`."""
    if name.casefold() in WELL_KNOWN:
        try:
            return mailbox.distinguished(name.casefold())
        except KeyError:
            text = f"The specified object was not found in the store., Default folder {name} not found."
            raise Refused("ErrorItemNotFound", text) from None
    store_id = in_store(name)
    with mailbox.lock:
        found = mailbox.root if store_id == mailbox.root.id else mailbox.folders.get(store_id)
    if found is None or not (found is mailbox.root or is_mail(found)):
        raise Refused("ErrorItemNotFound")
    return found


def check_readable(folder: Folder) -> None:
    """Raises `Refused` if the account may see the folder in the tree, but may not read its items."""
    if folder.forbidden:
        raise Refused("ErrorAccessDenied" if folder.denied_as == "ErrorAccessDenied" else "ErrorItemNotFound")


def is_mail(folder: Folder) -> bool:
    return folder.folder_class.startswith("IPF.Note")


def children(mailbox: Mailbox, parent: Folder, *, hidden: bool = False) -> list[Folder]:
    """The mail folders directly in a folder. `hidden`: include hidden folders."""
    below = [folder for folder in mailbox.folders.values() if folder.parent_id == parent.id]
    return [folder for folder in below if is_mail(folder) and (hidden or not folder.hidden)]


def folder_json(mailbox: Mailbox, folder: Folder, select: Collection[str] = ()) -> dict[str, Any]:
    """A folder as JSON, with the properties of `select`; all properties if `select` is empty."""
    items = folder.items.values()
    values = {
        "id": shown(folder.id),
        "displayName": folder.name,
        "parentFolderId": shown(folder.parent_id or folder.id),
        "childFolderCount": len(children(mailbox, folder)),
        "unreadItemCount": sum(not item.read for item in items),
        "totalItemCount": len(items),
        "sizeInBytes": sum(item.mail.size for item in items),
        "isHidden": folder.hidden,
    }
    return {name: value for name, value in values.items() if not select or name in select or name == "id"}


def change_json(mailbox: Mailbox, change: tuple[ChangeKind, str], select: Collection[str]) -> dict[str, Any]:
    what, folder_id = change
    kind = {"@odata.type": "#microsoft.graph.mailFolder"}
    if what is ChangeKind.DELETE:
        return kind | {"id": shown(folder_id), "@removed": {"reason": "deleted"}}
    return kind | folder_json(mailbox, mailbox.folders[folder_id], select)


def tree_step(mailbox: Mailbox, place: dict[str, Any] | None, most: int) -> Step:
    """At most `most` changes of the folders after `place` in the log of the tree; None is the beginning.

    The first listing does not contain deleted folders. Hidden folders are not listed. A folder that is hidden after the first
    listing is reported as deleted.
    """
    at, upto = (place["at"], place["upto"]) if place else (0, len(mailbox.tree_log))
    log, found = mailbox.tree_log, dict[str, ChangeKind]()
    end = at
    for folder_id in log[at:]:
        if folder_id not in found and len(found) >= most:
            break
        end += 1
        folder = mailbox.folders.get(folder_id)
        if folder is not None and not is_mail(folder):
            continue
        gone = folder is None or folder.hidden
        if not gone or end > upto:
            found[folder_id] = ChangeKind.DELETE if gone else ChangeKind.UPDATE
    return Step([(what, folder_id) for folder_id, what in found.items()], {"at": end, "upto": upto}, end >= len(log))


def page_of(found: Sequence[Folder], top: int, skip: int) -> tuple[Sequence[Folder], bool]:
    """One page, and whether more folders follow."""
    return found[skip : skip + top], skip + top < len(found)
