"""Which folders hold mail, by their class (`PidTagContainerClass`, in EWS `FolderClass`). Pure.

A folder is read unless its class is known to stand for something else. So a class that nobody wrote down here is read:
migrations and add-ins leave classes of their own on folders that are full of mail, above all `IPF.Imap` and a bare `IPF`.
Microsoft says that mail folders should be of class `IPF.Note`, and that the class is generally ignored.

A folder without a class is read, too: Exchange does not need the property, and folders that were made over IMAP or by a
migration may lack it. The special folders that have no class by [MS-OXOSFLD] 2.2.1 (Root, Finder, Common Views, ...) lie beside
the top of the mail folders, where nothing is read.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 2
"""Of the rule below, raised whenever it lets in a class that it kept out before: to the version of `mailboxes.rules_versions`
that it comes with. A mailbox whose tree was last told under another version is told its whole tree once more."""

MAPI = "https://learn.microsoft.com/en-us/office/client-developer/outlook/mapi/pidtagcontainerclass-canonical-property"
SPECIAL_FOLDERS = "https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxosfld/68a85898-84fe-43c4-b166-4711c13cdd61"
EXCHANGELIB = "https://github.com/ecederstrand/exchangelib/blob/master/exchangelib/folders/known_folders.py"
"""The classes that its authors met in mailboxes of Exchange Online; Microsoft does not document these."""


@dataclass(frozen=True, slots=True)
class OtherClass:
    """A class, with all classes below it, whose folders hold something other than mail."""

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
    """Whether a folder of this class is read. `version`: by the rule of which version; 1 read `IPF.Note` and what is below
    it, and folders without a class."""
    if version < 2:
        return not folder_class or _is_or_below(folder_class, "IPF.Note")
    return _other(folder_class) is None


def read_since(folder_class: str) -> int:
    """The first version of the rule by which a folder of this class is read; the present one where none reads it."""
    return next((version for version in range(1, VERSION) if holds_mail(folder_class, version=version)), VERSION)


def why_not_read(folder_class: str, *, hidden: bool) -> str:
    """Why a folder that is in the tree is not read, in a few words for a page."""
    if hidden:
        return "hidden: no mail client shows it"
    other = _other(folder_class)
    return f"holds {other.holds}" if other else "a search folder: its mail lies in other folders"


def _other(folder_class: str) -> OtherClass | None:
    return next((one for one in OTHER_CLASSES if _is_or_below(folder_class, one.name)), None)


def _is_or_below(name: str, parent: str) -> bool:
    name, parent = name.casefold(), parent.casefold()
    return name == parent or name.startswith(f"{parent}.")
