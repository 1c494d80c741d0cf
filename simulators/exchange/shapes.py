"""Folders and items as XML: the properties that were asked for, in the order of the schema, and no others."""

from __future__ import annotations

from simulators.exchange.soap import NS, Call, escape, quoteattr
from simulators.exchange.store import Folder, Mailbox

FOLDER_TAGS = {"IPF.Appointment": "CalendarFolder", "IPF.Contact": "ContactsFolder", "IPF.Task": "TasksFolder"}
BUT_FOR_CALENDARS = "folder:TotalCount, but for calendars"
BASE_SHAPES = {
    "Default": {"folder:DisplayName", "folder:ChildFolderCount", BUT_FOR_CALENDARS, "folder:UnreadCount"},
    "AllProperties": {
        "folder:ParentFolderId", "folder:FolderClass", "folder:DisplayName", "folder:TotalCount", "folder:ChildFolderCount",
        "folder:EffectiveRights", "folder:UnreadCount",
    },
}  # fmt: skip
"""Beside the id: Microsoft's pages "Property sets and response shapes" (table 2) and on BaseShape."""
RIGHTS = (
    "<t:CreateAssociated>false</t:CreateAssociated><t:CreateContents>false</t:CreateContents>"
    "<t:CreateHierarchy>false</t:CreateHierarchy><t:Delete>false</t:Delete><t:Modify>false</t:Modify><t:Read>true</t:Read>"
)
"""Of a reader."""
HIDDEN = 0x10F4
"""PidTagAttributeHidden, [MS-OXPROPS] 2.611."""


def asked(call: Call) -> set[str]:
    """The properties that `m:FolderShape` asks for: the paths that it names, and those of its base shape. What a folder of a
    class does not have is left out by `folder_xml`."""
    path = "m:FolderShape/t:AdditionalProperties"
    named = {element.get("FieldURI", "") for element in call.body.findall(f"{path}/t:FieldURI", NS)}
    named |= {
        f"tag:{int(element.get('PropertyTag', '0'), 16):#x}"
        for element in call.body.findall(f"{path}/t:ExtendedFieldURI", NS)
    }
    return named | BASE_SHAPES.get(call.text("m:FolderShape/t:BaseShape") or "", set())


def folder_xml(mailbox: Mailbox, folder: Folder, fields: set[str]) -> str:
    """The element of a folder with the properties of `fields`, in the order of the schema."""
    tag = "SearchFolder" if folder.search else FOLDER_TAGS.get(folder.folder_class, "Folder")
    children = sum(child.parent_id == folder.id for child in mailbox.whole_tree())

    def told(field: str, text: str) -> str:
        return text if f"folder:{field}" in fields else ""

    parent = folder.parent_id or folder.id
    content = (
        f'<t:FolderId Id={quoteattr(folder.id)} ChangeKey="AQAAAA=="/>'
        + told("ParentFolderId", f'<t:ParentFolderId Id={quoteattr(parent)} ChangeKey="AQAAAA=="/>')
        + told("FolderClass", f"<t:FolderClass>{escape(folder.folder_class)}</t:FolderClass>")
        + told("DisplayName", f"<t:DisplayName>{escape(folder.name)}</t:DisplayName>")
        + (f"<t:TotalCount>{len(folder.items)}</t:TotalCount>" if _counted(tag, fields) else "")
        + told("ChildFolderCount", f"<t:ChildFolderCount>{children}</t:ChildFolderCount>")
        + (_hidden(folder) if f"tag:{HIDDEN:#x}" in fields else "")
        + told("EffectiveRights", f"<t:EffectiveRights>{RIGHTS}</t:EffectiveRights>")
        + (told("DistinguishedFolderId", _distinguished(folder)) if folder.distinguished else "")
    )
    if tag == "Folder":
        content += told(
            "UnreadCount", f"<t:UnreadCount>{sum(not i.read for i in folder.items.values())}</t:UnreadCount>"
        )
    return f"<t:{tag}>{content}</t:{tag}>"


def _counted(tag: str, fields: set[str]) -> bool:
    return "folder:TotalCount" in fields or (BUT_FOR_CALENDARS in fields and tag != "CalendarFolder")


def _distinguished(folder: Folder) -> str:
    return f"<t:DistinguishedFolderId>{folder.distinguished}</t:DistinguishedFolderId>"


def _hidden(folder: Folder) -> str:
    """As Exchange tells a property: it spells the tag in its own way, and leaves out what was never set."""
    if not folder.hidden:
        return ""
    return (
        f'<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="{HIDDEN:#x}" PropertyType="Boolean"/>'
        "<t:Value>true</t:Value></t:ExtendedProperty>"
    )
