"""exchangelib's service classes, with the traps closed that a poller falls into.

They give XML elements and errors as values: an item at a time, each with its own outcome. What they keep of the stock classes
is the payloads, the SOAP, the versions and the codes. A test compares them with the stock path.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import requests
from exchangelib import services
from exchangelib.errors import ErrorServerBusy, EWSError, MalformedResponseError, UnauthorizedError
from exchangelib.util import SOAPNS, TNS
from lxml import etree

from integrations.errors import ExchangeFailed
from integrations.exchange.mime_texts import MimeTexts

Outcome = etree._Element | Exception
"""One response: the element that was asked for, or what became of it."""

LARGEST_TREE = 32 * 1024 * 1024
"""Bytes of XML without the MIME texts. Ten thousand folders take fifteen million; as a tree it may take 30 times as much."""
NO_CHARACTER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xed[\xa0-\xbf][\x80-\xbf]|\xef\xbf[\xbe\xbf]")
"""Characters that XML cannot carry (XML 1.0, section 2.2): controls, halves of surrogate pairs, U+FFFE and U+FFFF."""
REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,9})|([0-9]{1,9}));", re.I)
"""To any character: Exchange refers to those too that XML cannot carry."""


class _Service:
    """Mixed into a stock service class."""

    ERRORS_TO_CATCH_IN_RESPONSE = EWSError
    WARNINGS_TO_CATCH_IN_RESPONSE = EWSError
    protocol: Any

    def _extra_headers(self) -> dict[str, str]:
        headers: dict[str, str] = super()._extra_headers()  # type: ignore[misc]
        anchor = headers.get("X-AnchorMailbox", "")
        if not (anchor.isascii() and anchor.isprintable()):
            # It only helps the server to route. No header can hold this address; what to say of it is for the server.
            del headers["X-AnchorMailbox"]
        return headers | {"client-request-id": str(uuid.uuid4()), "return-client-request-id": "true"}

    def _api_versions_to_try(self) -> tuple[str, ...]:
        # The version is known. The stock class sends a request that is refused once for every version there is.
        return (self._version_hint.api_version,)  # type: ignore[attr-defined]

    def _get_response(self, payload: Any, api_version: str) -> requests.Response:
        """Ends by the deadline. A token that is refused is replaced once."""
        self.protocol.deadline.start()
        try:
            return super()._get_response(payload, api_version)  # type: ignore[misc, no-any-return]
        except UnauthorizedError:
            if not self.protocol.shows_tokens:
                raise
            return super()._get_response(payload, api_version)  # type: ignore[misc, no-any-return]

    def _get_elements(self, payload: Any) -> Iterator[Outcome]:
        # The stock one waits and tries again by itself: here the scheduler does.
        yield from self._response_generator(payload=payload)  # type: ignore[attr-defined]

    @classmethod
    def _get_soap_parts(cls, response: requests.Response) -> tuple[Any, Any]:
        root = parsed(response.content)
        # The text of a large email is in the tree now; it need not be in memory twice.
        response._content = b""
        body = root.find(f"{{{SOAPNS}}}Body")
        if body is None:
            raise MalformedResponseError("no SOAP body")
        return root.find(f"{{{SOAPNS}}}Header"), body

    @classmethod
    def _raise_soap_errors(cls, fault: Any) -> None:
        hint = _taken_back_off(fault)
        try:
            super()._raise_soap_errors(fault)  # type: ignore[misc]
        except ErrorServerBusy as error:
            error.back_off = hint
            raise

    @staticmethod
    def _get_exception(code: str, text: str, msg_xml: Any = None, rule_errors: Any = None) -> Exception:
        hint = _taken_back_off(msg_xml) if msg_xml is not None else None
        error: Exception = services.GetItem._get_exception(code, text or "", msg_xml, rule_errors)
        if isinstance(error, ErrorServerBusy):
            error.back_off = hint
        return error

    def _elems_to_objs(self, elems: Iterator[Outcome]) -> Iterator[Outcome]:
        return elems


class _SyncService(_Service):
    """Adds the state that stands behind the page. The schema lets an error leave it out."""

    sync_state: str | None
    includes_last_item_in_range: bool
    last_in_range_name: str

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:
        self.sync_state = message.findtext("{*}SyncState")
        self.includes_last_item_in_range = message.findtext(self.last_in_range_name) == "true"
        # Past the stock class, which falls over a message without a state.
        return services.common.EWSAccountService._get_element_container(self, message, name)


class GetFolder(_Service, services.GetFolder):
    pass


class GetItem(_Service, services.GetItem):
    """`mimes` are the MIME texts of the last answer; in its elements stand their numbers."""

    mimes: MimeTexts

    def _get_soap_parts(self, response: requests.Response) -> tuple[Any, Any]:  # type: ignore[override]
        self.mimes = MimeTexts(response.content)
        response._content = self.mimes.rest
        return super()._get_soap_parts(response)


class SyncFolderHierarchy(_SyncService, services.SyncFolderHierarchy):
    pass


class SyncFolderItems(_SyncService, services.SyncFolderItems):
    pass


def parsed(content: bytes) -> etree._Element:
    """The answer as a tree. Raises `ExchangeFailed` when it is no whole XML: a parser that mends what was cut short would
    make a page of what is none. And when it is too large, or has a document type definition, which SOAP forbids: with one,
    a reference can stand for anything, and what stands behind it would be lost."""
    if len(content) > LARGEST_TREE:
        raise ExchangeFailed("its answer is too large")
    try:
        return _tree(content)
    except etree.XMLSyntaxError:
        pass
    try:
        return _tree(REFERENCE.sub(_character, NO_CHARACTER.sub(b"", content)))
    except etree.XMLSyntaxError as error:
        raise ExchangeFailed("its answer is no XML") from error


def back_off(element: Any) -> float | None:
    """Seconds that a busy server asks for, in whichever value of the message it says so."""
    for value in element.iter(f"{{{TNS}}}Value"):
        if value.get("Name") == "BackOffMilliseconds":
            try:
                return int(value.text) / 1000
            except (TypeError, ValueError, OverflowError):
                return None
    return None


def _taken_back_off(element: Any) -> float | None:
    """The hint, hidden from the stock class, which falls over one that is no number."""
    hint = back_off(element)
    for value in element.iter(f"{{{TNS}}}Value"):
        if value.get("Name") == "BackOffMilliseconds":
            value.set("Name", "")
    return hint


def _character(reference: re.Match[bytes]) -> bytes:
    """The reference, or nothing when it refers to what XML cannot carry."""
    hexadecimal, decimal = reference.groups()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    carried = code in (0x9, 0xA, 0xD) or 0x20 <= code < 0xD800 or 0xDFFF < code < 0xFFFE or 0xFFFF < code < 0x110000
    return reference.group() if carried else b""


def _tree(content: bytes) -> etree._Element:
    # A comment or an instruction within a text would end it there.
    parser = etree.XMLParser(
        huge_tree=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise ExchangeFailed("its answer has a document type definition")
    return root
