"""Error responses of Graph: `{"error": {"code", "message", "innerError"}}` with the usual HTTP status of the code."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from simulators.http import Response

KNOWN = {
    "ApplicationThrottled": (429, "Application is over its MailboxConcurrency limit."),
    "Authorization_RequestDenied": (403, "Insufficient privileges to complete the operation."),
    "BadRequest": (400, "The request is malformed or incorrect."),
    "ErrorAccessDenied": (403, "Access is denied. Check credentials and try again."),
    "ErrorInternalServerError": (
        500,
        "An internal server error occurred. The operation failed., Cannot read the item.",
    ),
    "ErrorInvalidIdMalformed": (400, "Id is malformed."),
    "ErrorInvalidRequest": (400, "The request is invalid."),
    "ErrorInvalidUrlQuery": (400, "The query of the URL is not valid."),
    "ErrorInvalidUser": (404, "The requested user is invalid."),
    "ErrorItemNotFound": (404, "The specified object was not found in the store."),
    "ErrorMailboxMoveInProgress": (503, "The mailbox is being moved."),
    "ErrorMailboxStoreUnavailable": (503, "The mailbox database is temporarily unavailable."),
    "ErrorServerBusy": (503, "The server cannot service this request right now. Try again later."),
    "InvalidAuthenticationToken": (401, "Access token is empty."),
    "MailboxNotEnabledForRESTAPI": (404, "The mailbox is either inactive, soft-deleted, or is hosted on-premise."),
    "Request_ResourceNotFound": (404, "Resource does not exist."),
    "RequestBroker--ParseUri": (400, "Could not find a property of that name."),
    "SyncStateInvalid": (400, "The sync state is invalid."),
    "SyncStateNotFound": (410, "The sync state generation is not found; generation=3;[highest=9][9][7][8]."),
    "TooManyRequests": (429, "Too many requests."),
    "UnknownError": (504, ""),
    "resyncRequired": (410, "Resync required. Replace any local items with the server's version."),
    "syncStateNotFound": (410, "The sync state generation is not found; generation=3;[highest=9][9][7][8]."),
}
"""HTTP status and default message by code."""


class Refused(Exception):
    """The request is refused with this error."""

    def __init__(
        self, code: str, message: str = "", *, status: int = 0, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(code)
        usual_status, usual_message = KNOWN.get(code, (500, code))
        self.code, self.headers = code, headers
        self.status, self.message = status or usual_status, message or usual_message

    def response(self, label: str = "refused") -> Response:
        inner = {"date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "request-id": str(uuid.uuid4())}
        error = {"code": self.code, "message": self.message, "innerError": inner}
        return as_json({"error": error}, self.status, self.headers, label=label)


def as_json(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = (), *, label: str = "") -> Response:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(status, body, headers=headers, label=label)
