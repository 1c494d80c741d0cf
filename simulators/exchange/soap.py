"""Parses SOAP requests, and builds envelopes, response messages and faults.

Responses are built as text, because this is fast and there are few structures. The elements are in the order of the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from simulators.exchange.servers import VERSIONS, called

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
NS = {"s": SOAP, "m": MESSAGES, "t": TYPES}


NOTHING = {
    **dict.fromkeys(("GetItem", "CreateItem", "UpdateItem", "MoveItem", "CopyItem"), "<m:Items/>"),
    **dict.fromkeys(("GetFolder", "CreateFolder", "UpdateFolder", "MoveFolder"), "<m:Folders/>"),
    **dict.fromkeys(("CreateAttachment", "GetAttachment"), "<m:Attachments/>"),
}
"""Elements that the schema requires in the response message of an operation, even in a message without content."""


class Malformed(Exception):
    """The request is not XML, or not a SOAP envelope with an EWS operation."""


class SoapFault(Exception):
    """The whole request fails: HTTP 500 with a SOAP fault."""

    def __init__(
        self, code: str, text: str, *, back_off: int | None = None, back_off_first: bool = True, inner: str = ""
    ) -> None:
        """`back_off`: milliseconds; `back_off_first`: its element comes first. `inner`: the more specific code."""
        super().__init__(code)
        self.code, self.text, self.back_off, self.back_off_first = code, text, back_off, back_off_first
        self.inner = inner


class ItemFault(Exception):
    """One response message is an error; the other messages of the response are not affected."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code)
        self.code, self.text = code, text or f"The operation failed: {code}."


@dataclass(frozen=True)
class Call:
    """A request. `body`: the element of the operation. `impersonated`: the mailbox address in the header."""

    operation: str
    body: etree._Element
    impersonated: str | None
    version: str = VERSIONS[-1]
    """The EWS version of the request."""

    def text(self, path: str) -> str | None:
        found = self.body.find(path, NS)
        return found.text if found is not None else None

    def number(self, path: str) -> int:
        """A whole number of at least 0. Raises `SoapFault`."""
        text = (self.text(path) or "").strip()
        if not (text.isascii() and text.isdigit()):
            raise SoapFault("ErrorSchemaValidation", f"{path} is not a whole number.")
        return int(text)


def parse(body: bytes) -> Call:
    """Parse a request. Raises `Malformed`."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Malformed("The request is not XML.") from error
    payload = root.find("s:Body/*", NS) if root.tag == f"{{{SOAP}}}Envelope" else None
    if payload is None or etree.QName(payload).namespace != MESSAGES:
        raise Malformed("The request is not a SOAP envelope with an EWS operation.")
    version = root.find("s:Header/t:RequestServerVersion", NS)
    sid = root.find("s:Header/t:ExchangeImpersonation/t:ConnectingSID/*", NS)
    return Call(
        etree.QName(payload).localname,
        payload,
        sid.text if sid is not None else None,
        # The header is optional. Without this header, the oldest version applies.
        VERSIONS[0] if version is None else version.get("Version") or "",
    )


def envelope(operation: str, messages: str, version: str) -> bytes:
    """The envelope of a response. `messages`: the response messages of `operation`."""
    major, minor, build, revision = version.split(".")
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Header>'
        f'<h:ServerVersionInfo MajorVersion="{major}" MinorVersion="{minor}" MajorBuildNumber="{build}"'
        f' MinorBuildNumber="{revision}" Version="{called(version)}" xmlns:h="{TYPES}"/></s:Header><s:Body>'
        f'<m:{operation}Response xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><m:ResponseMessages>{messages}'
        f"</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>"
    ).encode()


def success(operation: str, content: str) -> str:
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}'
        f"</m:{operation}ResponseMessage>"
    )


def failure(operation: str, fault: ItemFault, content: str = "", message_xml: str = "") -> str:
    content = content or NOTHING.get(operation, "")
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Error"><m:MessageText>{escape(fault.text)}</m:MessageText>'
        f"<m:ResponseCode>{fault.code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{message_xml}"
        f"{content}</m:{operation}ResponseMessage>"
    )


def warning(operation: str, reason: ItemFault, content: str) -> str:
    """A response message with content and a warning."""
    return failure(operation, reason, content).replace('ResponseClass="Error"', 'ResponseClass="Warning"', 1)


def fault(error: SoapFault) -> bytes:
    values = ""
    if error.back_off is not None:
        hint = f'<t:Value Name="BackOffMilliseconds">{error.back_off}</t:Value>'
        other = '<t:Value Name="PolicyName">GlobalThrottlingPolicy</t:Value>'
        if error.inner:
            other = f'<t:Value Name="InnerErrorResponseCode">{error.inner}</t:Value>'
        both = hint + other if error.back_off_first else other + hint
        values = f'<t:MessageXml xmlns:t="{TYPES}">{both}</t:MessageXml>'
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault>'
        f'<faultcode xmlns:a="{TYPES}">a:{error.code}</faultcode><faultstring xml:lang="en-US">{escape(error.text)}'
        f'</faultstring><detail><e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">'
        f'{error.code}</e:ResponseCode><e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">'
        f"{escape(error.text)}</e:Message>{values}</detail></s:Fault></s:Body></s:Envelope>"
    ).encode()


__all__ = [
    "NS", "Call", "ItemFault", "Malformed", "SoapFault", "envelope", "escape", "failure", "fault", "parse", "quoteattr",
    "success", "warning",
]  # fmt: skip
