"""Decide whether a folder is read, by its class (`PidTagContainerClass`, in EWS `FolderClass`). No side effects.

A folder is read unless its class is known to contain other items than mail. So a folder of an unknown class is read:
migrations and add-ins set other classes on folders with mail, most often `IPF.Imap` and plain `IPF`. According to the
documentation of Microsoft, mail folders should be of class `IPF.Note`, and the class is generally ignored.

A folder without a class is read, too: Exchange does not require the property, and folders that were created over IMAP
or by a migration may lack it. The special folders that have no class according to [MS-OXOSFLD] 2.2.1 (Root, Finder, Common
Views, ...) are siblings of the top mail folder, so they are outside of the tree that is read.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 2
"""The version of the rule in `holds_mail`. If a release reads a class that earlier releases did not read, it sets this
number to the new version of the fixed rules, `mailboxes.rules_versions.current()`. If the folder tree of a mailbox was
last read with another version, the next sync reads the whole tree again."""

MAPI = "https://learn.microsoft.com/en-us/office/client-developer/outlook/mapi/pidtagcontainerclass-canonical-property"
SPECIAL_FOLDERS = "https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxosfld/68a85898-84fe-43c4-b166-4711c13cdd61"
EXCHANGELIB = "https://github.com/ecederstrand/exchangelib/blob/master/exchangelib/folders/known_folders.py"
"""The source of classes that the authors of exchangelib found in Exchange Online; Microsoft does not document them."""


@dataclass(frozen=True, slots=True)
class OtherClass:
    """A class, with all of its subclasses, whose folders contain other items than mail.

    Attributes:
        name: The class.
        holds: What these folders contain, as text for users.
        source: The address of the documentation of the class.
    """

    name: str
    holds: str
    source: str


OTHER_CLASSES = (
    OtherClass("IPF.Appointment", "appointments", MAPI),
    OtherClass("IPF.Contact", "contacts", MAPI),
    OtherClass("IPF.Task", "tasks", MAPI),
    OtherClass("IPF.Journal", "journal entries", MAPI),
    OtherClass("IPF.StickyNote", "sticky notes", MAPI),
    OtherClass("IPF.Configuration", "settings of clients", SPECIAL_FOLDERS),
    OtherClass("IPF.ShortcutFolder", "document libraries", SPECIAL_FOLDERS),
    OtherClass("Outlook.Reminder", "reminders", SPECIAL_FOLDERS),
    OtherClass("IPF.Files", "files", EXCHANGELIB),
    OtherClass("IPF.SkypeTeams", "messages of Teams", EXCHANGELIB),
    OtherClass("IPF.SmsAndChatsSync", "text messages and chats", EXCHANGELIB),
    OtherClass("IPF.StoreItem", "data of Exchange itself", EXCHANGELIB),
    OtherClass("IPM.ApplicationData", "data of applications", EXCHANGELIB),
    OtherClass("IPM.DefaultFolderHistoryItem", "data of Exchange itself", EXCHANGELIB),
)


def holds_mail(folder_class: str, *, version: int = VERSION) -> bool:
    """Return whether a folder of this class is read. Hidden folders and search folders are never read.

    Args:
        folder_class: The class of the folder; blank for none.
        version: The version of the rule. Version 1 read `IPF.Note` with its subclasses, and folders without a class.

    Returns:
        True where the folder is read.
    """
    if version < 2:
        return not folder_class or _is_or_below(folder_class, "IPF.Note")
    return _other(folder_class) is None


def read_since(folder_class: str) -> int:
    """Return the first version of the rule that reads a folder of this class.

    Args:
        folder_class: The class of the folder; blank for none.

    Returns:
        The version; the current one where no version reads the folder.
    """
    return next((version for version in range(1, VERSION) if holds_mail(folder_class, version=version)), VERSION)


def why_not_read(folder_class: str, *, hidden: bool) -> str:
    """Return why a folder of the tree is not read.

    Args:
        folder_class: The class of the folder; blank for none.
        hidden: Whether mail clients hide the folder.

    Returns:
        A short text for a page.
    """
    if hidden:
        return "hidden: no mail client shows it"
    other = _other(folder_class)
    return f"contains {other.holds}" if other else "a search folder: its emails are stored in other folders"


def _other(folder_class: str) -> OtherClass | None:
    return next((other for other in OTHER_CLASSES if _is_or_below(folder_class, other.name)), None)


def _is_or_below(name: str, parent: str) -> bool:
    name, parent = name.casefold(), parent.casefold()
    return name == parent or name.startswith(f"{parent}.")
