"""Attachments (files and emails) are listed with the email that contains them, and are fetched by their ids."""

from __future__ import annotations

import base64
from email.message import EmailMessage

from lxml import etree

from simulators.exchange import mail_of
from simulators.exchange.soap import NS
from simulators.exchange.store import Item
from tests.mails import mail
from tests.simulators.exchange.conftest import OTHER, EwsClient


def delivered(ews_client: EwsClient) -> Item:
    message = EmailMessage()
    message["Subject"], message["From"], message["Message-ID"] = "Files", "ann@north.example", "<files@north.example>"
    message.set_content("See the files.")
    message.add_attachment(b"\0\1\2", maintype="application", subtype="pdf", filename="Zahlung März.pdf")
    inner = EmailMessage()
    inner["Subject"] = "Forwarded"
    inner.set_content("Inside.")
    inner.add_attachment(b"deep", maintype="text", subtype="plain", filename="deep.txt")
    message.add_attachment(inner)
    return ews_client.mailbox.deliver(mail_of(message.as_bytes()))


def listed(ews_client: EwsClient, item: Item) -> list[etree._Element]:
    body = (
        "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
        '<t:FieldURI FieldURI="item:Attachments"/></t:AdditionalProperties></m:ItemShape>'
        f'<m:ItemIds><t:ItemId Id="{item.id}"/></m:ItemIds></m:GetItem>'
    )
    return list(etree.fromstring(ews_client.post(body).content).iterfind(".//t:Attachments/*", NS))


def get_attachment(*ids: str) -> str:
    wanted = "".join(f'<t:AttachmentId Id="{one}"/>' for one in ids)
    return f"<m:GetAttachment><m:AttachmentIds>{wanted}</m:AttachmentIds></m:GetAttachment>"


def test_attachments_are_listed_and_fetched(ews_client: EwsClient) -> None:
    file, email = listed(ews_client, delivered(ews_client))
    assert [etree.QName(one).localname for one in (file, email)] == ["FileAttachment", "ItemAttachment"]
    assert file.findtext("t:Name", namespaces=NS) == "Zahlung März.pdf"
    assert file.find("t:Content", NS) is None
    ids = [one.find("t:AttachmentId", NS).get("Id") for one in (file, email)]
    answer = etree.fromstring(ews_client.post(get_attachment(*ids)).content)
    assert base64.b64decode(answer.findtext(".//t:Content", namespaces=NS) or "") == b"\0\1\2"
    assert answer.findtext(".//t:Message/t:Subject", namespaces=NS) == "Forwarded"


def test_malformed_and_unknown_attachment_ids_are_refused(ews_client: EwsClient) -> None:
    item = delivered(ews_client)
    first = listed(ews_client, item)[0].find("t:AttachmentId", NS).get("Id") or ""
    theirs = ews_client.exchange.store[OTHER].deliver(mail_of(mail("a")))
    codes = ews_client.codes(get_attachment("x", item.id, first[:-4] + "AAAP", theirs.id + first[-12:]))
    assert codes == [
        "ErrorInvalidIdMalformed",
        "ErrorInvalidIdMalformed",
        "ErrorInvalidAttachmentId",
        "ErrorItemNotFound",
    ]
