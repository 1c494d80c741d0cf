"""The service classes of exchangelib for operations that read, adapted for polling.

The adapted classes yield one outcome per item: the XML element of the item, or the error as a value. They send the same
request payloads as the stock classes. A test compares the results with the results of the stock classes.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import requests
from exchangelib import services
from exchangelib.errors import EWSError, MalformedResponseError, UnauthorizedError
from exchangelib.util import MNS, SOAPNS
from lxml import etree

from integrations.errors import ExchangeFailed, VersionRefused
from integrations.ews.codes import kind_of
from integrations.ews.mime_texts import MimeTexts
from integrations.ews.responses import code_of, error_for_code, error_of_fault
from integrations.ews.versions import WorkingVersion, generation, versions_to_try
from integrations.network.faults import retry_after

Outcome = etree._Element | Exception
"""The result for one item: the requested XML element, or the error."""

LARGEST_TREE = 32 * 1024 * 1024
"""Maximum bytes of XML, without MIME texts. A list of 10,000 folders has 15 million bytes. The parsed tree may take 30
times as much memory."""
INVALID_CHARACTER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xed[\xa0-\xbf][\x80-\xbf]|\xef\xbf[\xbe\xbf]")
"""Characters that XML cannot contain (XML 1.0, section 2.2): controls, lone surrogates, U+FFFE and U+FFFF."""
REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,9})|([0-9]{1,9}));", re.I)
"""A numeric character reference. Exchange also sends references to characters that XML cannot contain."""


class _Service:
    """Mixin for a stock service class."""

    ERRORS_TO_CATCH_IN_RESPONSE = EWSError
    WARNINGS_TO_CATCH_IN_RESPONSE = EWSError
    protocol: Any
    account: Any

    def _extra_headers(self) -> dict[str, str]:
        headers: dict[str, str] = super()._extra_headers()  # type: ignore[misc]
        anchor = headers.get("X-AnchorMailbox", "")
        if not (anchor.isascii() and anchor.isprintable()):
            # An HTTP header cannot contain this address. The header is only a routing hint, so it is omitted.
            del headers["X-AnchorMailbox"]
        return headers | {"client-request-id": str(uuid.uuid4()), "return-client-request-id": "true"}

    def _get_response_xml(self, payload: Any) -> Any:
        """Send the request in the first EWS version that the server accepts, and return the response messages.

        If the server rejected at least one version first, the accepted version is remembered for this mailbox. The stock
        class tries all versions for any invalid request, and does not remember the version that worked.
        """
        first_error = None
        for api_version in versions_to_try(self.account.version.api_version):
            try:
                messages = self._response_messages(payload, api_version)
            except EWSError as error:
                if kind_of(code_of(error)) is not VersionRefused:
                    raise
                first_error = first_error or error
                continue
            if first_error is not None:
                self.account.working_version = WorkingVersion(api_version, generation(self.account.version.build))
            return messages
        assert first_error is not None
        raise first_error

    def _response_messages(self, payload: Any, api_version: str) -> Any:
        """Send the request in one version and return the response messages. Raise an error if a message rejects the version."""
        response = self._get_response(payload, api_version)
        header, body = self._get_soap_parts(response)
        if header is not None:
            self._update_api_version(api_version, header)  # type: ignore[attr-defined]
        try:
            messages = self._get_soap_messages(body)  # type: ignore[attr-defined]
        except EWSError as error:
            wait = retry_after(response.headers.get("Retry-After"))
            if wait is not None and getattr(error, "back_off", None) is None:
                error.back_off = wait.total_seconds()
            raise
        for message in messages:
            code = message.findtext(f"{{{MNS}}}ResponseCode") or ""
            if kind_of(code) is VersionRefused:
                raise error_for_code(code, message.find(f"{{{MNS}}}MessageXml"))
        return messages

    def _get_response(self, payload: Any, api_version: str) -> requests.Response:
        """Send the request within the deadline. If the server rejects the token, send it again with a new token."""
        self.protocol.deadline.start()
        try:
            return super()._get_response(payload, api_version)  # type: ignore[misc, no-any-return]
        except UnauthorizedError:
            if not self.protocol.uses_tokens:
                raise
            return super()._get_response(payload, api_version)  # type: ignore[misc, no-any-return]

    def _get_elements(self, payload: Any) -> Iterator[Outcome]:
        # The stock method is not called, because it sleeps and retries. In this product, the scheduler decides about retries.
        yield from self._response_generator(payload=payload)  # type: ignore[attr-defined]

    @classmethod
    def _get_soap_parts(cls, response: requests.Response) -> tuple[Any, Any]:
        root = parsed(response.content)
        # The tree contains the text of the body now. Dropping the body halves the memory for a large response.
        response._content = b""
        body = root.find(f"{{{SOAPNS}}}Body")
        if body is None:
            raise MalformedResponseError("no SOAP body")
        return root.find(f"{{{SOAPNS}}}Header"), body

    @classmethod
    def _raise_soap_errors(cls, fault: Any) -> None:
        # The stock method is not called: it has a fixed list of codes and reads the waiting time from one place only.
        raise error_of_fault(fault)

    @staticmethod
    def _get_exception(code: str | None, text: str | None, msg_xml: Any = None, rule_errors: Any = None) -> Exception:
        return error_for_code(code, msg_xml)

    def _elems_to_objs(self, elems: Iterator[Outcome]) -> Iterator[Outcome]:
        return elems


class _SyncService(_Service):
    """Mixin that stores the sync state of the last page. The schema allows an error response without a state."""

    sync_state: str | None
    includes_last_item_in_range: bool
    last_in_range_name: str

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:
        self.sync_state = message.findtext("{*}SyncState")
        self.includes_last_item_in_range = message.findtext(self.last_in_range_name) == "true"
        # The method of the stock class is skipped, because it fails for a message without a sync state.
        return services.common.EWSAccountService._get_element_container(self, message, name)


class GetFolder(_Service, services.GetFolder):
    """Reads folders."""


class GetItem(_Service, services.GetItem):
    """Reads items.

    Attributes:
        mimes: MIME texts of the last response. In the XML elements, each text is replaced by its number.
    """

    mimes: MimeTexts

    def _get_soap_parts(self, response: requests.Response) -> tuple[Any, Any]:  # type: ignore[override]
        self.mimes = MimeTexts(response.content)
        response._content = self.mimes.rest
        return super()._get_soap_parts(response)


class SyncFolderHierarchy(_SyncService, services.SyncFolderHierarchy):
    """Reads changes of the folder tree."""


class SyncFolderItems(_SyncService, services.SyncFolderItems):
    """Reads changes of one folder."""


def parsed(content: bytes) -> etree._Element:
    """Return a response as an XML tree.

    Malformed XML is not repaired, because a repaired truncated response would look like a complete page. Characters
    that XML cannot contain are removed, because Exchange sends them.

    Args:
        content: Body of the response.

    Returns:
        Root element.

    Raises:
        ExchangeFailed: The response is not well-formed XML, is too large, or has a document type definition. SOAP
            forbids such a definition, and the parser would lose the text after an entity reference.
    """
    if len(content) > LARGEST_TREE:
        raise ExchangeFailed("the response is too large")
    try:
        return _tree(content)
    except etree.XMLSyntaxError:
        pass
    try:
        return _tree(REFERENCE.sub(_character, INVALID_CHARACTER.sub(b"", content)))
    except etree.XMLSyntaxError as error:
        raise ExchangeFailed("the response is not XML") from error


def fault_in(content: bytes) -> Exception | None:
    """Return the error in a response of any status.

    Args:
        content: Body of the response.

    Returns:
        The error of a SOAP fault with a code of Exchange. None for any other body.
    """
    try:
        fault = parsed(content).find(f"{{{SOAPNS}}}Body/{{{SOAPNS}}}Fault")
    except ExchangeFailed:
        return None
    error = error_of_fault(fault) if fault is not None else None
    return error if error is not None and code_of(error) else None


def _character(reference: re.Match[bytes]) -> bytes:
    """Return the reference unchanged, or an empty text for a character that XML cannot contain."""
    hexadecimal, decimal = reference.groups()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    valid = code in (0x9, 0xA, 0xD) or 0x20 <= code < 0xD800 or 0xDFFF < code < 0xFFFE or 0xFFFF < code < 0x110000
    return reference.group() if valid else b""


def _tree(content: bytes) -> etree._Element:
    # Comments and processing instructions are removed, because the `text` of an lxml element ends at them.
    parser = etree.XMLParser(
        huge_tree=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise ExchangeFailed("the response has a document type definition")
    return root
