"""What Graph means by an answer that is none: status and code, as the errors that the product speaks.

An error keeps status and code, never the text: a text can quote an address or a subject.
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
"""Bytes of JSON. A page of a thousand messages without their content takes two million; read, it may take 25 times as much."""

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
FORBIDS_FOLDER = {"erroraccessdenied", "accessdenied"}
PASSING = (408, 429)
"""Beside the faults of the service, 5xx."""
GONE = {(404, "erroritemnotfound"), (400, "errorinvalididmalformed")}
"""Status and code, said of a message that is not there."""
NOT_FOUND = {"erroritemnotfound", "errorfoldernotfound"}
"""Said of what is not there, and of what the caller has no right to see, as Exchange does."""
NO_GRAPH = {301, 302, 303, 307, 308, 403, 404, 405}
"""Of an answer that is not in the words of Graph: something else stands at this address."""


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case names."""
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return self.status == 200

    def code(self) -> str:
        """The code of an error in the words of Graph; blank where it has none."""
        try:
            told = _parsed(self.body)["error"]["code"]
        except (errors.ExchangeFailed, LookupError, TypeError):
            return ""
        return re.sub(r"[^A-Za-z0-9_.-]", "", told)[:64] if isinstance(told, str) else ""

    def document(self) -> dict[str, Any]:
        """The JSON object that it is. Raises what else it means."""
        if not self.ok:
            raise self.refusal()
        if web_page.is_web_page(self.body):
            raise errors.GraphEndpointWrong(web_page.DETAIL)
        return _parsed(self.body)

    def of_every_mailbox(self) -> GraphAnswer:
        """Itself, as the answer about the inbox or the whole tree. Raises `InboxHidden` where it says that these are not
        there: every mailbox has them."""
        if not self.ok and self.code().casefold() in NOT_FOUND:
            raise errors.InboxHidden(self.refusal().detail)
        return self

    def may_refuse_the_link(self) -> bool:
        """Whether a link of Graph's own, that it was asked for by, may be what it cannot read: damaged, or of another kind. Not
        where its code says something else, and not where it has none: then a gateway answers."""
        return self.status == 400 and bool(self.code()) and self.code().casefold() not in BY_CODE

    def refusal(self) -> IntegrationError:
        """The error that this answer stands for."""
        code = self.code()
        detail = ", ".join(filter(None, [f"HTTP {self.status}", code]))
        kind = BY_CODE.get(code.casefold())
        if kind is None and self.status == 407:
            return errors.SettingsWrong("proxy: it refused our credentials")
        if kind is None and not code and self.status in NO_GRAPH:
            return errors.GraphEndpointWrong(detail)
        if kind is None and self.status == 403:
            kind = errors.PermissionMissing
        kind = kind or BY_STATUS.get(self.status, errors.ExchangeFailed)
        return kind(detail, retry_after=retry_after(self.headers.get("retry-after")))

    def refusal_of_folder(self) -> IntegrationError:
        """The same, of a request about one folder: what may not be read is this folder then."""
        refusal = self.refusal()
        if self.forbids() and isinstance(refusal, errors.Refused):
            return errors.FolderRefused(refusal.detail, of_mailbox=refusal)
        return refusal

    def is_gone(self) -> bool:
        """Whether the one message that was asked for is not in the mailbox."""
        return (self.status, self.code().casefold()) in GONE

    def forbids(self) -> bool:
        """Whether what was asked for, of a mailbox that was just read, may not be read alone."""
        return self.status == 403 and self.code().casefold() in FORBIDS_FOLDER

    def refuses_this_alone(self) -> bool:
        """Whether what was asked for is refused, in Graph's own words, and nothing is said of the mailbox or the service."""
        code = self.code().casefold()
        of_request = 400 <= self.status < 500 and self.status not in (401, 407, *PASSING)
        return self.forbids() or (of_request and bool(code) and code not in BY_CODE)

    def may_pass(self) -> bool:
        """Whether the same request may be answered in a moment: too many at a time, or a fault of the service."""
        return self.status in PASSING or self.status >= 500

    def is_its_own(self) -> bool:
        """Whether what was asked for can be what fails, and not the service: a fault in Graph's own words."""
        return bool(self.code()) and self.may_be_its_content()

    def may_be_its_content(self) -> bool:
        """Whether less of the same might be told: gateways have words of their own for what took Graph too long."""
        return self.status in (500, 502, 504) and self.code().casefold() not in BY_CODE


def parts_of(batch: Mapping[str, Any]) -> dict[str, GraphAnswer]:
    """The answers within the answer to a batch, by the ids of their requests."""
    found: dict[str, GraphAnswer] = {}
    for part in batch["responses"]:
        headers = {str(name).lower(): str(text) for name, text in (part.get("headers") or {}).items()}
        found[str(part["id"])] = GraphAnswer(int(part["status"]), headers, json.dumps(part.get("body")).encode())
    return found


def _parsed(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST_DOCUMENT:
        raise errors.ExchangeFailed("its answer is too large")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        # Not raised from it: its text could quote the answer.
        raise errors.ExchangeFailed("its answer is no JSON") from None
    if not isinstance(document, dict):
        raise errors.ExchangeFailed("its answer is not as agreed")
    return document
