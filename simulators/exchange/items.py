"""Items as XML, with only the properties of the requested base shape and paths, in the order of the schema.

The properties of the base shapes are from Microsoft's page "Property sets and response shapes in EWS in Exchange" (tables 3
and 4).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from simulators.exchange.attachments import attachments_xml
from simulators.exchange.contents import Contents, carried, contents_of
from simulators.exchange.shapes import RIGHTS
from simulators.exchange.soap import NS, Call, ItemFault, SoapFault, escape, quoteattr
from simulators.exchange.store import Item
from simulators.exchange.times import utc

MESSAGES = ("Message", "MeetingRequest", "MeetingCancellation", "MeetingResponse")
ITEM_TAGS = (
    ("ipm.schedule.meeting.request", "MeetingRequest"),
    ("ipm.schedule.meeting.canceled", "MeetingCancellation"),
    ("ipm.schedule.meeting.resp", "MeetingResponse"),
    ("ipm.post", "PostItem"),
    ("ipm.contact", "Contact"),
    ("ipm.task", "Task"),
    ("ipm.appointment", "CalendarItem"),
)
UNLISTED = {
    "item:MimeContent", "item:Body", "item:Attachments", "item:InternetMessageHeaders", "item:ResponseObjects",
    "item:UniqueBody", "item:NormalizedBody", "item:TextBody", "item:EntityExtractionResult", "item:MimeContentUTF8",
    "message:ToRecipients", "message:CcRecipients", "message:BccRecipients", "message:ReplyTo",
    "message:ApprovalRequestData", "message:VotingInformation", "message:ReminderMessageData",
}  # fmt: skip
"""Paths that GetItem returns, but FindItem and SyncFolderItems do not (the `CanFind` flags of Microsoft's client)."""
UNRENDERED = {
    *(f"item:{name}" for name in (
        "ReminderDueBy", "ReminderNextTime", "UniqueBody", "StoreEntryId", "NormalizedBody", "EntityExtractionResult",
        "PolicyTag", "ArchiveTag", "RetentionDate", "Preview", "RightsManagementLicenseData", "PredictedActionReasons",
        "IsClutter", "NextPredictedAction", "GroupingAction", "BlockStatus", "HasBlockedImages", "IconIndex",
        "MimeContentUTF8", "SearchKey", "SortKey", "Hashtags", "Mentions", "MentionedMe", "PendingSocialActivityTagIds",
        "WebClientEditFormQueryString", "ItemId", "MimeContent",
    )),
    *(f"message:{name}" for name in (
        "ReceivedBy", "ReceivedRepresenting", "ApprovalRequestData", "VotingInformation", "ReminderMessageData",
    )),
}  # fmt: skip
"""Paths of the schema that are valid but have no `Property`: there is no value for them, or `item_xml` adds them."""


@dataclass(frozen=True)
class RequestedProperties:
    """The requested properties of each item. `listing`: the request is FindItem or SyncFolderItems."""

    shape: str
    paths: frozenset[str]
    listing: bool
    mime: bool = False

    def wants(self, one: Property) -> bool:
        if one.path in self.paths:
            return True
        if self.listing and one.path in UNLISTED:
            return False
        return self.shape == "AllProperties" or (self.shape == "Default" and one.default)


@dataclass(frozen=True)
class Property:
    """A property of items. `default`: the property is part of the Default shape of emails."""

    path: str
    render: Callable[[Item, Contents], str]
    """The element as XML; blank if the item has no value."""
    default: bool = False

    @property
    def tag(self) -> str:
        return self.path.partition(":")[2]


def asked(call: Call, *, listing: bool = False) -> RequestedProperties:
    """Parse `m:ItemShape`.

    Raises `SoapFault` for a path of an item or message that is not in the schema, `ItemFault` for a path that a listing cannot
    return.
    """
    path = "m:ItemShape/t:AdditionalProperties/t:FieldURI"
    paths = {element.get("FieldURI", "") for element in call.body.findall(path, NS)}
    unknown = {one for one in paths if one.startswith(("item:", "message:"))} - PATHS
    if unknown:
        raise SoapFault("ErrorSchemaValidation", f"The schema has no property {min(unknown)}.")
    if listing and (refused := paths & UNLISTED):
        raise ItemFault("ErrorInvalidPropertyForOperation", f"The property cannot be used here: {min(refused)}")
    mime = call.text("m:ItemShape/t:IncludeMimeContent") == "true" or "item:MimeContent" in paths
    return RequestedProperties(
        call.text("m:ItemShape/t:BaseShape") or "", frozenset(paths), listing, mime and not listing
    )


def item_xml(item: Item, asked: RequestedProperties, *, base64_text: str | None = None) -> str:
    """The element of an item. `base64_text` replaces the Base64 of the MIME."""
    tag = _tag(item.mail.item_class)
    parts = []
    if asked.mime:
        text = base64_text if base64_text is not None else base64.b64encode(item.mail.content()).decode("ascii")
        parts.append(f'<t:MimeContent CharacterSet="UTF-8">{text}</t:MimeContent>')
    parts.append(id_xml(item))
    known = [
        *ITEM_PROPERTIES,
        *(MESSAGE_PROPERTIES if tag in MESSAGES else POST_PROPERTIES if tag == "PostItem" else ()),
    ]
    wanted = [one for one in known if asked.wants(one)]
    contents = contents_of(item.mail) if any(one.path not in WITHOUT_CONTENTS for one in wanted) else NO_CONTENTS
    if asked.listing:
        # Listings return the names of From and Sender, not the addresses (Microsoft's page on FindItem).
        contents = replace(contents, sender=[(name, "") for name, _ in contents.sender])
    parts += [one.render(item, contents) for one in wanted]
    return f"<t:{tag}>{''.join(parts)}</t:{tag}>"


def id_xml(item: Item) -> str:
    return f"<t:ItemId Id={quoteattr(item.id)} ChangeKey={quoteattr(item.change_key)}/>"


def _tag(item_class: str) -> str:
    name = item_class.casefold()
    return next((tag for prefix, tag in ITEM_TAGS if name.startswith(prefix)), "Message")


def _text(path: str, value: Callable[[Item, Contents], str], *, default: bool = False) -> Property:
    tag = path.partition(":")[2]

    def render(item: Item, contents: Contents) -> str:
        text = value(item, contents)
        return f"<t:{tag}>{escape(text)}</t:{tag}>" if text else ""

    return Property(path, render, default)


def _flag(path: str, value: Callable[[Item], bool], *, default: bool = False) -> Property:
    return _text(path, lambda item, _: str(value(item)).lower(), default=default)


def _moment(path: str, value: Callable[[Item, Contents], datetime | None], *, default: bool = False) -> Property:
    return _text(path, lambda item, contents: utc(moment) if (moment := value(item, contents)) else "", default=default)


def _people(path: str, value: Callable[[Contents], list[tuple[str, str]]]) -> Property:
    tag = path.partition(":")[2]

    def render(_: Item, contents: Contents) -> str:
        people = "".join(mailbox_xml(name, address) for name, address in value(contents))
        return f"<t:{tag}>{people}</t:{tag}>" if people else ""

    return Property(path, render)


def _person(path: str, *, default: bool = False) -> Property:
    tag = path.partition(":")[2]

    def render(_: Item, contents: Contents) -> str:
        return f"<t:{tag}>{mailbox_xml(*contents.sender[0])}</t:{tag}>" if contents.sender else ""

    return Property(path, render, default)


def mailbox_xml(name: str, address: str) -> str:
    """The element of a person. If the address is blank, the element contains only the name."""
    where = f"<t:EmailAddress>{escape(address)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>" if address else ""
    return f"<t:Mailbox><t:Name>{escape(name)}</t:Name>{where}</t:Mailbox>"


def _names(people: Iterable[tuple[str, str]]) -> str:
    return "; ".join(name for name, _ in people)


def _body(tag: str, *, plain: bool) -> Callable[[Item, Contents], str]:
    def render(_: Item, contents: Contents) -> str:
        kind = "Text" if plain else contents.body_type
        return f'<t:{tag} BodyType="{kind}">{escape(contents.body)}</t:{tag}>'

    return render


def _categories(item: Item, _: Contents) -> str:
    texts = "".join(f"<t:String>{escape(category)}</t:String>" for category in item.mail.categories)
    return f"<t:Categories>{texts}</t:Categories>" if texts else ""


def _headers(_: Item, contents: Contents) -> str:
    lines = "".join(
        f"<t:InternetMessageHeader HeaderName={quoteattr(carried(name))}>{escape(value)}</t:InternetMessageHeader>"
        for name, value in contents.headers
    )
    return f"<t:InternetMessageHeaders>{lines}</t:InternetMessageHeaders>" if lines else ""


def conversation_id(item: Item) -> str:
    """The conversation id, which is derived from the topic."""
    return base64.b64encode(b"conversation " + item.mail.topic.encode("utf-8", "replace")[:60]).decode()


def _rights(_: Item, __: Contents) -> str:
    return f"<t:EffectiveRights>{RIGHTS}</t:EffectiveRights>"


NO_CONTENTS = Contents([], [], [], [], [], [], None, "", "", "Text", "", [])
ITEM_PROPERTIES = (
    Property(
        "item:ParentFolderId",
        lambda item, _: f'<t:ParentFolderId Id={quoteattr(item.folder_id)} ChangeKey="AQAAAA=="/>',
    ),
    _text("item:ItemClass", lambda item, _: item.mail.item_class),
    Property("item:Subject", lambda item, _: f"<t:Subject>{escape(item.mail.subject)}</t:Subject>", default=True),
    _text("item:Sensitivity", lambda item, _: item.mail.sensitivity, default=True),
    Property("item:Body", _body("Body", plain=False), default=True),
    Property("item:Attachments", lambda item, contents: attachments_xml(item, contents.attachments)),
    _moment("item:DateTimeReceived", lambda item, _: item.received),
    _text("item:Size", lambda item, _: str(item.mail.size), default=True),
    Property("item:Categories", _categories),
    _text("item:Importance", lambda item, _: item.mail.importance),
    _text("item:InReplyTo", lambda _, contents: contents.in_reply_to),
    _flag("item:IsSubmitted", lambda _: False),
    _flag("item:IsDraft", lambda item: item.mail.draft),
    _flag("item:IsFromMe", lambda _: False),
    _flag("item:IsResend", lambda _: False),
    _flag("item:IsUnmodified", lambda item: not item.mail.draft),
    Property("item:InternetMessageHeaders", _headers),
    _moment("item:DateTimeSent", lambda item, contents: contents.sent or item.received, default=True),
    _moment("item:DateTimeCreated", lambda item, _: item.received, default=True),
    Property(
        "item:ResponseObjects",
        lambda *_: "<t:ResponseObjects><t:ReplyToItem/><t:ReplyAllToItem/><t:ForwardItem/></t:ResponseObjects>",
        default=True,
    ),
    _flag("item:ReminderIsSet", lambda _: False),
    _text("item:ReminderMinutesBeforeStart", lambda *_: "0"),
    Property("item:DisplayCc", lambda _, contents: f"<t:DisplayCc>{escape(_names(contents.cc))}</t:DisplayCc>"),
    Property("item:DisplayTo", lambda _, contents: f"<t:DisplayTo>{escape(_names(contents.to))}</t:DisplayTo>"),
    _flag("item:HasAttachments", lambda item: item.mail.has_attachments, default=True),
    _text("item:Culture", lambda *_: "en-US"),
    Property("item:EffectiveRights", _rights),
    _text("item:LastModifiedName", lambda *_: "Exchange"),
    _moment("item:LastModifiedTime", lambda item, _: item.modified),
    _flag("item:IsAssociated", lambda _: False, default=True),
    _text("item:WebClientReadFormQueryString", lambda *_: "?ae=Item&a=Open&t=IPM.Note"),
    Property("item:ConversationId", lambda item, _: f"<t:ConversationId Id={quoteattr(conversation_id(item))}/>"),
    Property("item:Flag", lambda *_: "<t:Flag><t:FlagStatus>NotFlagged</t:FlagStatus></t:Flag>"),
    _text("item:InstanceKey", lambda item, _: item.id[-24:]),
    Property("item:TextBody", _body("TextBody", plain=True)),
)
"""The properties of all items, in the order of the schema."""
_SENDER = _person("message:Sender")
_FROM = _person("message:From", default=True)
_INDEX = _text("message:ConversationIndex", lambda item, _: base64.b64encode(item.id[-22:].encode()).decode())
_TOPIC = _text("message:ConversationTopic", lambda item, _: item.mail.topic)
_ID = _text("message:InternetMessageId", lambda item, _: item.mail.message_id)
_READ = _flag("message:IsRead", lambda item: item.read, default=True)
_REFERENCES = _text("message:References", lambda _, contents: contents.references)
MESSAGE_PROPERTIES = (
    _SENDER,
    _people("message:ToRecipients", lambda contents: contents.to),
    _people("message:CcRecipients", lambda contents: contents.cc),
    _people("message:BccRecipients", lambda contents: contents.bcc),
    _flag("message:IsReadReceiptRequested", lambda _: False, default=True),
    _flag("message:IsDeliveryReceiptRequested", lambda _: False, default=True),
    _INDEX,
    _TOPIC,
    _FROM,
    _ID,
    _READ,
    _flag("message:IsResponseRequested", lambda _: False),
    _REFERENCES,
    _people("message:ReplyTo", lambda contents: contents.reply_to),
)
POST_PROPERTIES = (
    _INDEX,
    _TOPIC,
    _FROM,
    _ID,
    _READ,
    _moment("postitem:PostedTime", lambda item, _: item.received),
    _REFERENCES,
    _SENDER,
)
PATHS = UNRENDERED | {one.path for one in (*ITEM_PROPERTIES, *MESSAGE_PROPERTIES)}
"""All paths of items and messages in the schema."""
WITHOUT_CONTENTS = {
    "item:ParentFolderId", "item:ItemClass", "item:Subject", "item:Sensitivity", "item:DateTimeReceived", "item:Size",
    "item:Categories", "item:Importance", "item:IsDraft", "item:HasAttachments", "item:LastModifiedTime",
    "item:ConversationId", "item:DateTimeCreated", "message:ConversationTopic", "message:InternetMessageId",
    "message:IsRead",
}  # fmt: skip
"""Properties for which the MIME is not parsed, so that listings of large mailboxes are fast."""
