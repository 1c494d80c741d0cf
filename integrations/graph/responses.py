"""Responses of Graph: status, JSON document, and the error of this product for an error response.

An error contains the status and the code of the response, never its text: a text can quote an address or a subject.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations import errors
from integrations.errors import IntegrationError
from integrations.network import web_page
from integrations.network.faults import retry_after

LARGEST_DOCUMENT = 16 * 1024 * 1024
"""Maximum size of a JSON document in bytes. A page of 1,000 messages without content has 2 million bytes. A parsed
document needs 25 times its size in memory."""

BY_CODE: dict[str, type[IntegrationError]] = {
    "syncstatenotfound": errors.CursorRefused,
    "syncstateinvalid": errors.CursorRefused,
    "resyncrequired": errors.CursorRefused,
    "resyncchangesapplydifferences": errors.CursorRefused,
    "resyncchangesuploaddifferences": errors.CursorRefused,
    "errorinvaliduser": errors.MailboxNotFound,
    "errornonexistentmailbox": errors.MailboxNotFound,
    "resourcenotfound": errors.MailboxNotFound,
    "request_resourcenotfound": errors.MailboxNotFound,
    "errornonprimarysmtpaddress": errors.NotPrimaryAddress,
    "errorinvalidlicense": errors.LicenceMissing,
    "mailboxnotenabledforrestapi": errors.MailboxNotInCloud,
    "mailboxnotsupportedforrestapi": errors.MailboxNotInCloud,
    "mailboxnothostedinexchangeonline": errors.MailboxNotInCloud,
    "erroraccessdenied": errors.MailboxOutOfScope,
    "authorization_requestdenied": errors.PermissionMissing,
    "authorization_identitynotfound": errors.PermissionMissing,
    "forbidden": errors.PermissionMissing,
    "accessdenied": errors.PermissionMissing,
    "applicationthrottled": errors.ExchangeBusy,
    "toomanyrequests": errors.ExchangeBusy,
    "errorserverbusy": errors.ExchangeBusy,
    "errortoomanyobjectsopened": errors.ExchangeBusy,
    "errorexceededconnectioncount": errors.ExchangeBusy,
    "errortimeoutexpired": errors.ExchangeTimedOut,
    "errormailboxmoveinprogress": errors.MailboxMoving,
    "errormailboxstoreunavailable": errors.MailboxMoving,
    "errormailboxfailover": errors.MailboxMoving,
}
"""Errors by case-folded code."""
BY_STATUS: dict[int, type[IntegrationError]] = {
    400: errors.RequestRejected,
    401: errors.SignInRefused,
    408: errors.ExchangeTimedOut,
    410: errors.CursorRefused,
    429: errors.ExchangeBusy,
    503: errors.ExchangeBusy,
    504: errors.ExchangeTimedOut,
    509: errors.ExchangeBusy,
}
"""Errors by HTTP status, for a code that `BY_CODE` lacks."""
FORBIDDEN_CODES = {"erroraccessdenied", "accessdenied"}
TRANSIENT_STATUSES = (408, 429)
"""Transient statuses besides 5xx."""
GONE = {(404, "erroritemnotfound"), (400, "errorinvalididmalformed")}
"""Status and code for a message that does not exist."""
NOT_FOUND_CODES = {"erroritemnotfound", "errorfoldernotfound"}
"""Codes for a resource that does not exist or that the caller may not see. Exchange does not distinguish the two."""
NOT_GRAPH_STATUSES = {301, 302, 303, 307, 308, 403, 404, 405}
"""Statuses that, without an error code of Graph, show that the endpoint is not Graph."""


@dataclass(frozen=True, slots=True)
class GraphResponse:
    """An HTTP response of Graph, or one part of a batch response.

    Attributes:
        status: HTTP status.
        headers: Headers by lower-case name.
        body: Decompressed body.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 200."""
        return self.status == 200

    def code(self) -> str:
        """Return the error code of Graph, at most 64 characters. Blank where the response has none."""
        try:
            code = _parse(self.body)["error"]["code"]
        except (errors.ExchangeFailed, LookupError, TypeError):
            return ""
        return re.sub(r"[^A-Za-z0-9_.-]", "", code)[:64] if isinstance(code, str) else ""

    def document(self) -> dict[str, Any]:
        """Return the JSON object of the response.

        Raises:
            GraphEndpointWrong: The body is a web page.
            IntegrationError: The response is an error, is too large, or is not a JSON object.
        """
        if not self.ok:
            raise self.error()
        if web_page.is_web_page(self.body):
            raise errors.GraphEndpointWrong(web_page.DETAIL)
        return _parse(self.body)

    def require_visible(self) -> GraphResponse:
        """Return the response itself, for a request about the inbox or the folder tree.

        Raises:
            InboxHidden: Graph does not find the resource. Every mailbox has this resource, so the account may not see it.
        """
        if not self.ok and self.code().casefold() in NOT_FOUND_CODES:
            raise errors.InboxHidden(self.error().detail)
        return self

    def may_reject_link(self) -> bool:
        """Return whether Graph may have rejected the link of the request as damaged or unsuitable.

        False where the code has another meaning. False without a code, because then a gateway sent the response.
        """
        return self.status == 400 and bool(self.code()) and self.code().casefold() not in BY_CODE

    def error(self) -> IntegrationError:
        """Return the error of this product for the response, with status, code and `Retry-After`."""
        code = self.code()
        detail = ", ".join(filter(None, [f"HTTP {self.status}", code]))
        kind = BY_CODE.get(code.casefold())
        if kind is None and self.status == 407:
            return errors.SettingsWrong("proxy: the proxy rejected the credentials")
        if kind is None and not code and self.status in NOT_GRAPH_STATUSES:
            return errors.GraphEndpointWrong(detail)
        if kind is None and self.status == 403:
            kind = errors.PermissionMissing
        kind = kind or BY_STATUS.get(self.status, errors.ExchangeFailed)
        return kind(detail, retry_after=retry_after(self.headers.get("retry-after")))

    def folder_error(self) -> IntegrationError:
        """Return the error for a request about one folder. Denied access concerns only this folder."""
        error = self.error()
        if self.is_forbidden() and isinstance(error, errors.Refused):
            return errors.FolderRefused(error.detail, of_mailbox=error)
        return error

    def is_gone(self) -> bool:
        """Return whether the requested message is not in the mailbox."""
        return (self.status, self.code().casefold()) in GONE

    def is_forbidden(self) -> bool:
        """Return whether Graph denies access to the requested resource. The mailbox may still be readable."""
        return self.status == 403 and self.code().casefold() in FORBIDDEN_CODES

    def rejects_only_this_item(self) -> bool:
        """Return whether Graph denies access to the item, or the error code concerns only the request for the item."""
        code = self.code().casefold()
        about_request = 400 <= self.status < 500 and self.status not in (401, 407, *TRANSIENT_STATUSES)
        return self.is_forbidden() or (about_request and bool(code) and code not in BY_CODE)

    def is_transient(self) -> bool:
        """Return whether a retry may succeed soon: the request was throttled or timed out, or the service failed."""
        return self.status in TRANSIENT_STATUSES or self.status >= 500

    def may_be_item_fault(self) -> bool:
        """Return whether the item may be at fault and not the service: a server error with a code that `BY_CODE` lacks."""
        return bool(self.code()) and self.may_be_content_fault()

    def may_be_content_fault(self) -> bool:
        """Return whether a smaller request may succeed. Also true for errors of gateways, which have no code of Graph."""
        return self.status in (500, 502, 504) and self.code().casefold() not in BY_CODE


def parts_of(batch: Mapping[str, Any]) -> dict[str, GraphResponse]:
    """Return the responses within a batch response.

    Args:
        batch: JSON object of the batch response.

    Returns:
        Responses by the ids of their requests.
    """
    responses: dict[str, GraphResponse] = {}
    for part in batch["responses"]:
        headers = {str(name).lower(): str(text) for name, text in (part.get("headers") or {}).items()}
        responses[str(part["id"])] = GraphResponse(int(part["status"]), headers, json.dumps(part.get("body")).encode())
    return responses


def _parse(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST_DOCUMENT:
        raise errors.ExchangeFailed("the response is too large")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        # The cause is left out: its text could quote the response.
        raise errors.ExchangeFailed("the response is not JSON") from None
    if not isinstance(document, dict):
        raise errors.ExchangeFailed("the response does not have the documented format")
    return document
