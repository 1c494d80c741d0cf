"""Folders as XML, with only the requested properties, in the order of the schema."""

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
"""Properties by base shape, in addition to the id.

Sources: Microsoft's pages "Property sets and response shapes" (table 2) and BaseShape.
"""
RIGHTS = (
    "<t:CreateAssociated>false</t:CreateAssociated><t:CreateContents>false</t:CreateContents>"
    "<t:CreateHierarchy>false</t:CreateHierarchy><t:Delete>false</t:Delete><t:Modify>false</t:Modify><t:Read>true</t:Read>"
)
"""The rights of an account that may only read."""
HIDDEN = 0x10F4
"""PidTagAttributeHidden, [MS-OXPROPS] 2.611."""


def asked(call: Call) -> set[str]:
    """The requested properties: the paths in `m:FolderShape` and the properties of its base shape.

    `folder_xml` skips properties that the class of a folder does not have.
    """
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

    def selected(field: str, text: str) -> str:
        return text if f"folder:{field}" in fields else ""

    parent = folder.parent_id or folder.id
    content = (
        f'<t:FolderId Id={quoteattr(folder.id)} ChangeKey="AQAAAA=="/>'
        + selected("ParentFolderId", f'<t:ParentFolderId Id={quoteattr(parent)} ChangeKey="AQAAAA=="/>')
        + selected("FolderClass", f"<t:FolderClass>{escape(folder.folder_class)}</t:FolderClass>")
        + selected("DisplayName", f"<t:DisplayName>{escape(folder.name)}</t:DisplayName>")
        + (f"<t:TotalCount>{len(folder.items)}</t:TotalCount>" if _counted(tag, fields) else "")
        + selected("ChildFolderCount", f"<t:ChildFolderCount>{children}</t:ChildFolderCount>")
        + (_hidden(folder) if f"tag:{HIDDEN:#x}" in fields else "")
        + selected("EffectiveRights", f"<t:EffectiveRights>{RIGHTS}</t:EffectiveRights>")
        + (selected("DistinguishedFolderId", _distinguished(folder)) if folder.distinguished else "")
    )
    if tag == "Folder":
        content += selected(
            "UnreadCount", f"<t:UnreadCount>{sum(not i.read for i in folder.items.values())}</t:UnreadCount>"
        )
    return f"<t:{tag}>{content}</t:{tag}>"


def _counted(tag: str, fields: set[str]) -> bool:
    return "folder:TotalCount" in fields or (BUT_FOR_CALENDARS in fields and tag != "CalendarFolder")


def _distinguished(folder: Folder) -> str:
    return f"<t:DistinguishedFolderId>{folder.distinguished}</t:DistinguishedFolderId>"


def _hidden(folder: Folder) -> str:
    """The extended property as Exchange returns it, with the tag in lower-case hex; blank if the folder is not hidden."""
    if not folder.hidden:
        return ""
    return (
        f'<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="{HIDDEN:#x}" PropertyType="Boolean"/>'
        "<t:Value>true</t:Value></t:ExtendedProperty>"
    )
