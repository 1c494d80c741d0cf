"""SOAP as Exchange speaks it: a request taken apart strictly, envelopes and response messages put together.

Responses are built as text: the shapes are few, the order of their elements is the schema's, and it is fast.
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
"""What the schema wants in a response message even where there is nothing to tell."""


class Malformed(Exception):
    """ErrorSchemaValidation, or no SOAP at all."""


class SoapFault(Exception):
    """The whole request fails, as an HTTP 500 with a fault."""

    def __init__(
        self, code: str, text: str, *, back_off: int | None = None, back_off_first: bool = True, inner: str = ""
    ) -> None:
        """`inner`: the more specific code behind a general one."""
        super().__init__(code)
        self.code, self.text, self.back_off, self.back_off_first = code, text, back_off, back_off_first
        self.inner = inner


class ItemFault(Exception):
    """One response message fails; its neighbours do not."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code)
        self.code, self.text = code, text or f"The operation failed: {code}."


@dataclass(frozen=True)
class Call:
    """A request: the operation's element, and the mailbox that the header impersonates."""

    operation: str
    body: etree._Element
    impersonated: str | None
    version: str = VERSIONS[-1]
    """Of EWS, that the request is in."""

    def text(self, path: str) -> str | None:
        found = self.body.find(path, NS)
        return found.text if found is not None else None

    def number(self, path: str) -> int:
        """A whole number of at least 0. Raises `SoapFault`."""
        text = (self.text(path) or "").strip()
        if not (text.isascii() and text.isdigit()):
            raise SoapFault("ErrorSchemaValidation", f"{path} is no whole number.")
        return int(text)


def parse(body: bytes) -> Call:
    """Raises `Malformed`."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Malformed("no XML") from error
    payload = root.find("s:Body/*", NS) if root.tag == f"{{{SOAP}}}Envelope" else None
    if payload is None or etree.QName(payload).namespace != MESSAGES:
        raise Malformed("no SOAP envelope with an EWS operation")
    version = root.find("s:Header/t:RequestServerVersion", NS)
    sid = root.find("s:Header/t:ExchangeImpersonation/t:ConnectingSID/*", NS)
    return Call(
        etree.QName(payload).localname,
        payload,
        sid.text if sid is not None else None,
        # The header may be left out; then the oldest version is meant.
        VERSIONS[0] if version is None else version.get("Version") or "",
    )


def envelope(operation: str, messages: str, version: str) -> bytes:
    """A whole answer: `messages` are the response messages of `operation`."""
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


def warning(operation: str, told: ItemFault, content: str) -> str:
    """A response message that gives its content, with a reservation."""
    return failure(operation, told, content).replace('ResponseClass="Error"', 'ResponseClass="Warning"', 1)


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
