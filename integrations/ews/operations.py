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
from exchangelib.errors import EWSError, MalformedResponseError, UnauthorizedError
from exchangelib.util import MNS, SOAPNS
from lxml import etree

from integrations.errors import ExchangeFailed, VersionRefused
from integrations.ews.codes import kind_of
from integrations.ews.mime_texts import MimeTexts
from integrations.ews.responses import code_of, coded, of_fault
from integrations.ews.versions import WorkingVersion, generation, to_try
from integrations.network.faults import retry_after

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
    account: Any

    def _extra_headers(self) -> dict[str, str]:
        headers: dict[str, str] = super()._extra_headers()  # type: ignore[misc]
        anchor = headers.get("X-AnchorMailbox", "")
        if not (anchor.isascii() and anchor.isprintable()):
            # It only helps the server to route. No header can hold this address; what to say of it is for the server.
            del headers["X-AnchorMailbox"]
        return headers | {"client-request-id": str(uuid.uuid4()), "return-client-request-id": "true"}

    def _get_response_xml(self, payload: Any) -> Any:
        """The response messages. Where a version is refused, those of the next one that is taken, which is remembered for
        this mailbox. The stock class asks in all versions for any invalid request, and does not remember what worked."""
        first = None
        for api_version in to_try(self.account.version.api_version):
            try:
                messages = self._answered(payload, api_version)
            except EWSError as error:
                if kind_of(code_of(error)) is not VersionRefused:
                    raise
                first = first or error
                continue
            if first is not None:
                self.account.settled = WorkingVersion(api_version, generation(self.account.version.build))
            return messages
        assert first is not None
        raise first

    def _answered(self, payload: Any, api_version: str) -> Any:
        """The response messages to a request in this version. Raises the refusal also where it is told by a message."""
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
                raise coded(code, message.find(f"{{{MNS}}}MessageXml"))
        return messages

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
        # Past the stock class, which knows a list of codes, and a hint in one place only.
        raise of_fault(fault)

    @staticmethod
    def _get_exception(code: str | None, text: str | None, msg_xml: Any = None, rule_errors: Any = None) -> Exception:
        return coded(code, msg_xml)

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


def fault_in(content: bytes) -> Exception | None:
    """The error that a body of any status tells, if it is a SOAP fault with a code of Exchange."""
    try:
        fault = parsed(content).find(f"{{{SOAPNS}}}Body/{{{SOAPNS}}}Fault")
    except ExchangeFailed:
        return None
    error = of_fault(fault) if fault is not None else None
    return error if error is not None and code_of(error) else None


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
