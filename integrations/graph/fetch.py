"""Fetch emails by their ids: MIME and details, one outcome per change, in the order of the changes.

Each email takes one request for its content, and another request if its properties are not cached. If a response may
show a fault of the item, the content is requested once again. Several requests run concurrently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from integrations.graph.connection import GraphRequest
from integrations.graph.fallback_listing import is_unlisted
from integrations.graph.folders import read_inbox
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.graph.responses import GraphResponse
from integrations.graph.rows import DeltaRow
from integrations.messages import Change, Email, Fetched, Gone, ItemId, Unreadable

GONE = {"erroritemnotfound"}
ITEM_FAULTS = {
    "errorinvalididmalformed", "erroritemcorrupt", "errorcorruptdata", "errormimecontentconversionfailed",
    "errorcontentconversionfailed", "errormessagesizeexceeded", "errormimecontentinvalid",
    "errorpropertyvalidationfailure", "errorunsupportedmimeconversion", "errormimecontentinvalidbase64string",
    "errorinvalidid", "errorinvalidpropertyrequest",
}  # fmt: skip
"""Codes of permanent faults of a single item."""


def fetch_emails(mailbox: GraphMailbox, changes: Sequence[Change], messages: MessageCache) -> Iterator[Fetched]:
    """Yield one outcome for each change.

    The details are read before the content. If an email is edited in between, a later page reports the edit.

    Args:
        mailbox: Mailbox of the emails.
        changes: Changes whose emails are fetched.
        messages: Cache with the rows of the pages that listed these changes.

    Yields:
        An email, `Gone` or `Unreadable` for each change, in order.

    Raises:
        IntegrationError: A fault that is not limited to one item.
    """
    listed = [change for change in changes if not is_unlisted(change.item_id)]
    rows = {change.item_id: row for change, row in zip(listed, messages.rows_of(listed), strict=True)}
    present = [change.item_id for change in listed if isinstance(rows[change.item_id], DeltaRow)]
    responses = dict(zip(present, _contents(mailbox, present), strict=True))
    if not any(response.ok for response in responses.values()):
        _raise_mailbox_fault(mailbox, responses)
    for change in changes:
        row = rows.get(change.item_id)
        if row is None:
            yield Unreadable(change, "Graph does not list the email")
        elif isinstance(row, Gone):
            yield row
        else:
            yield _outcome(row, responses[change.item_id])


def _contents(mailbox: GraphMailbox, items: Sequence[ItemId]) -> list[GraphResponse]:
    """Return the responses for these items. If a response may show a fault of its item, the item is requested again."""
    responses = list(_request_contents(mailbox, items))
    retried = [index for index, response in enumerate(responses) if response.may_be_item_fault()]
    for index, response in zip(retried, _request_contents(mailbox, [items[index] for index in retried]), strict=True):
        responses[index] = response
    return responses


def _request_contents(mailbox: GraphMailbox, items: Sequence[ItemId]) -> Iterator[GraphResponse]:
    for response in mailbox.connection.ask_all(
        [GraphRequest(mailbox.path("messages", item, "$value")) for item in items]
    ):
        if not (response.ok or response.may_be_item_fault() or _has_item_code(response) or response.status == 403):
            raise response.error()
        yield response


def _has_item_code(response: GraphResponse) -> bool:
    return response.status < 500 and response.code().casefold() in GONE | ITEM_FAULTS


def _raise_mailbox_fault(mailbox: GraphMailbox, responses: Mapping[ItemId, GraphResponse]) -> None:
    """Raise the error of the mailbox, if the mailbox is at fault. Called when no email could be read.

    After server errors, the mailbox is at fault if the inbox cannot be opened. After a 403, it is at fault if no other
    email can be read.
    """
    if any(response.may_be_item_fault() for response in responses.values()):
        read_inbox(mailbox)
    forbidden = next((response for response in responses.values() if response.status == 403), None)
    if forbidden is None:
        return
    page = mailbox.document(mailbox.path("messages", select="id", top=len(responses) + 1))
    others = [row["id"] for row in page["value"] if row["id"] not in responses][:1]
    if not any(response.ok for response in _request_contents(mailbox, others)):
        raise forbidden.error()


def _outcome(row: DeltaRow, response: GraphResponse) -> Fetched:
    if response.ok:
        return Email(row.change, response.body, row.details)
    code = response.code()
    return Gone(row.change) if code.casefold() in GONE else Unreadable(row.change, code or f"HTTP {response.status}")
