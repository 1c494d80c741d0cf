"""Attachments as XML: a list without contents in the element of an item, and an attachment with its content (GetAttachment)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from simulators.exchange.contents import Attached
from simulators.exchange.ids import attachment_id
from simulators.exchange.mailfiles import mail_of
from simulators.exchange.soap import escape, quoteattr
from simulators.exchange.store import Item
from simulators.exchange.times import utc


def attachments_xml(item: Item, attachments: Sequence[Attached]) -> str:
    """The `t:Attachments` element of an item, without contents; blank if there are no attachments."""
    texts = [
        _element(one, _about(item, index, one) + ("" if one.is_item else _NO_PHOTO))
        for index, one in enumerate(attachments)
    ]
    return f"<t:Attachments>{''.join(texts)}</t:Attachments>" if texts else ""


def attachment_xml(item: Item, index: int, attached: Attached) -> str:
    """The element of one attachment: a file with its content, or an attached email with only its subject."""
    about = _about(item, index, attached)
    if attached.is_item:
        subject = escape(mail_of(attached.content).subject)
        return _element(attached, f"{about}<t:Message><t:Subject>{subject}</t:Subject></t:Message>")
    return _element(attached, f"{about}{_NO_PHOTO}<t:Content>{base64.b64encode(attached.content).decode()}</t:Content>")


_NO_PHOTO = "<t:IsContactPhoto>false</t:IsContactPhoto>"


def _element(attached: Attached, content: str) -> str:
    tag = "ItemAttachment" if attached.is_item else "FileAttachment"
    return f"<t:{tag}>{content}</t:{tag}>"


def _about(item: Item, index: int, attached: Attached) -> str:
    content_id = f"<t:ContentId>{escape(attached.content_id)}</t:ContentId>" if attached.content_id else ""
    return (
        f"<t:AttachmentId Id={quoteattr(attachment_id(item.id, index))}/><t:Name>{escape(attached.name)}</t:Name>"
        f"<t:ContentType>{escape(attached.content_type)}</t:ContentType>{content_id}"
        f"<t:Size>{len(attached.content)}</t:Size><t:LastModifiedTime>{utc(item.modified)}</t:LastModifiedTime>"
        f"<t:IsInline>{str(attached.inline).lower()}</t:IsInline>"
    )
