"""PLACEHOLDER until the real one lands."""
from __future__ import annotations
from dataclasses import dataclass
from email import message_from_bytes, policy
from integrations.messages import Comment, CommentId, Email, Message
from sync.identity import listed_comment_id
VERSION = 1
@dataclass(frozen=True)
class Place:
    mailbox: str
    folder_path: tuple[str, ...]
@dataclass(frozen=True)
class Converted:
    comment: Comment
    participants: frozenset[str]
@dataclass(frozen=True)
class NotConvertible:
    reason: str
def convert(email: Email, place: Place) -> Converted | NotConvertible:
    m = message_from_bytes(email.mime, policy=policy.default)
    cid = listed_comment_id(m["Message-ID"])
    date = m["Date"].datetime if m["Date"] else email.details.received
    body = m.get_body(("plain",)).get_content()
    return Converted(Comment(cid, date, cid, Message(m["Subject"], body, sender=m["From"], to=(m["To"],), sent_at=date), {"string:Folder": "/".join(place.folder_path), "string:Mailbox": place.mailbox}), frozenset(a.addr_spec.lower() for h in (m["From"], m["To"]) for a in h.addresses))
