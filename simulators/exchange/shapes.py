"""Folders and items as XML: the properties that were asked for, in the order of the schema, and no others."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from simulators.exchange.soap import NS, Call, ItemFault, escape, quoteattr
from simulators.exchange.store import Folder, Item, Mailbox

FOLDER_TAGS = {"IPF.Appointment": "CalendarFolder", "IPF.Contact": "ContactsFolder", "IPF.Task": "TasksFolder"}
HIDDEN = 0x10F4
"""PidTagAttributeHidden, [MS-OXPROPS] 2.611."""
LISTED = {
    "item:ItemId", "item:ParentFolderId", "item:ItemClass", "item:Subject", "item:Sensitivity", "item:DateTimeReceived",
    "item:DateTimeSent", "item:DateTimeCreated", "item:LastModifiedTime", "item:Size", "item:Categories", "item:Importance",
    "item:InReplyTo", "item:IsDraft", "item:HasAttachments", "item:DisplayTo", "item:DisplayCc", "item:ConversationId",
    "item:InstanceKey", "message:From", "message:Sender", "message:IsRead", "message:ConversationTopic",
    "message:InternetMessageId", "message:References",
}  # fmt: skip
"""What a listing can return, as the `CanFind` flags of Microsoft's own client have it; all else takes a GetItem."""
MESSAGE_FIELDS = {"message:ConversationTopic", "message:InternetMessageId", "message:IsRead"}
ITEM_TAGS = (
    ("ipm.schedule.meeting.request", "MeetingRequest"),
    ("ipm.schedule.meeting.canceled", "MeetingCancellation"),
    ("ipm.schedule.meeting.resp", "MeetingResponse"),
    ("ipm.post", "PostItem"),
    ("ipm.contact", "Contact"),
    ("ipm.task", "Task"),
    ("ipm.appointment", "CalendarItem"),
)


def asked(call: Call, shape: str) -> set[str]:
    """The field URIs of `m:ItemShape` or `m:FolderShape`. A base shape of items beyond their ids means all there are."""
    path = f"m:{shape}/t:AdditionalProperties/t:FieldURI"
    named = {element.get("FieldURI", "") for element in call.body.findall(path, NS)}
    beyond_ids = shape == "ItemShape" and call.text("m:ItemShape/t:BaseShape") != "IdOnly"
    named |= {
        f"tag:{int(element.get('PropertyTag', '0'), 16):#x}"
        for element in call.body.findall(f"{path[:-8]}ExtendedFieldURI", NS)
    }
    return named | {f"item:{field}" for field, _ in ITEM_FIELDS} | MESSAGE_FIELDS if beyond_ids else named


def folder_xml(mailbox: Mailbox, folder: Folder, fields: set[str], *, everything: bool = False) -> str:
    tag = "SearchFolder" if folder.search else FOLDER_TAGS.get(folder.folder_class, "Folder")
    children = sum(child.parent_id == folder.id for child in mailbox.whole_tree())

    def told(field: str, text: str) -> str:
        return text if everything or f"folder:{field}" in fields else ""

    parent = folder.parent_id or folder.id
    content = (
        f'<t:FolderId Id={quoteattr(folder.id)} ChangeKey="AQAAAA=="/>'
        + told("ParentFolderId", f'<t:ParentFolderId Id={quoteattr(parent)} ChangeKey="AQAAAA=="/>')
        + told("FolderClass", f"<t:FolderClass>{escape(folder.folder_class)}</t:FolderClass>")
        + told("DisplayName", f"<t:DisplayName>{escape(folder.name)}</t:DisplayName>")
        + told("TotalCount", f"<t:TotalCount>{len(folder.items)}</t:TotalCount>")
        + told("ChildFolderCount", f"<t:ChildFolderCount>{children}</t:ChildFolderCount>")
        + (_hidden(folder) if f"tag:{HIDDEN:#x}" in fields else "")
    )
    if tag == "Folder":
        content += told(
            "UnreadCount", f"<t:UnreadCount>{sum(not i.read for i in folder.items.values())}</t:UnreadCount>"
        )
    return f"<t:{tag}>{content}</t:{tag}>"


def _hidden(folder: Folder) -> str:
    """As Exchange tells a property: it spells the tag in its own way, and leaves out what was never set."""
    if not folder.hidden:
        return ""
    return (
        f'<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="{HIDDEN:#x}" PropertyType="Boolean"/>'
        "<t:Value>true</t:Value></t:ExtendedProperty>"
    )


def item_xml(item: Item, fields: set[str], *, mime: bytes | None = None, base64_text: str | None = None) -> str:
    mail = item.mail
    tag = _tag(mail.item_class)
    message = tag in ("Message", "MeetingRequest", "MeetingCancellation", "MeetingResponse")
    parts = []
    if mime is not None or base64_text is not None:
        text = base64_text if base64_text is not None else base64.b64encode(mime or b"").decode("ascii")
        parts.append(f'<t:MimeContent CharacterSet="UTF-8">{text}</t:MimeContent>')
    parts.append(id_xml(item))
    for field, render in ITEM_FIELDS:
        if f"item:{field}" in fields:
            parts.append(render(item))
    if message:
        for field, text in (
            ("ConversationTopic", escape(mail.topic)),
            ("InternetMessageId", escape(mail.message_id)),
            ("IsRead", str(item.read).lower()),
        ):
            if f"message:{field}" in fields and text:
                parts.append(f"<t:{field}>{text}</t:{field}>")
    return f"<t:{tag}>{''.join(parts)}</t:{tag}>"


def id_xml(item: Item) -> str:
    return f"<t:ItemId Id={quoteattr(item.id)} ChangeKey={quoteattr(item.change_key)}/>"


def listable(fields: set[str]) -> None:
    """Raises `ItemFault` where a field of messages was asked for that no listing returns."""
    refused = {field for field in fields if field.startswith(("item:", "message:"))} - LISTED
    if refused:
        raise ItemFault("ErrorInvalidPropertyForOperation", f"The property cannot be used here: {min(refused)}")


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tag(item_class: str) -> str:
    name = item_class.casefold()
    return next((tag for prefix, tag in ITEM_TAGS if name.startswith(prefix)), "Message")


def _categories(item: Item) -> str:
    texts = "".join(f"<t:String>{escape(category)}</t:String>" for category in item.mail.categories)
    return f"<t:Categories>{texts}</t:Categories>" if texts else ""


ITEM_FIELDS = (
    ("ParentFolderId", lambda item: f'<t:ParentFolderId Id={quoteattr(item.folder_id)} ChangeKey="AQAAAA=="/>'),
    ("ItemClass", lambda item: f"<t:ItemClass>{escape(item.mail.item_class)}</t:ItemClass>"),
    ("Subject", lambda item: f"<t:Subject>{escape(item.mail.subject)}</t:Subject>"),
    ("Sensitivity", lambda item: f"<t:Sensitivity>{item.mail.sensitivity}</t:Sensitivity>"),
    ("DateTimeReceived", lambda item: f"<t:DateTimeReceived>{utc(item.received)}</t:DateTimeReceived>"),
    ("Size", lambda item: f"<t:Size>{item.mail.size}</t:Size>"),
    ("Categories", _categories),
    ("Importance", lambda item: f"<t:Importance>{item.mail.importance}</t:Importance>"),
    ("IsDraft", lambda item: f"<t:IsDraft>{str(item.mail.draft).lower()}</t:IsDraft>"),
    ("HasAttachments", lambda item: f"<t:HasAttachments>{str(item.mail.has_attachments).lower()}</t:HasAttachments>"),
)
"""In the order of the schema."""
