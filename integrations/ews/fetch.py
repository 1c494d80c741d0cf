"""Fetch emails by their ids: MIME and details, one outcome per change, in the order of the changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from exchangelib.fields import FieldPath
from exchangelib.items import Message
from exchangelib.properties import ItemId as EwsItemId
from exchangelib.util import TNS

from integrations.errors import ExchangeFailed
from integrations.ews.errors import product_error
from integrations.ews.folders import read_inbox
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.matching import match_outcomes
from integrations.ews.mime_texts import MimeTexts
from integrations.ews.operations import GetItem
from integrations.ews.responses import code_of
from integrations.messages import Change, Email, Fetched, Gone, ItemDetails, Unreadable
from integrations.network.values import parse_time, whole_number

FIELDS = [
    FieldPath(field=Message.get_field_by_fieldname(name))
    for name in (
        "mime_content", "item_class", "datetime_received", "size", "importance", "sensitivity", "categories",
        "conversation_topic", "is_draft",
    )
]  # fmt: skip
GONE = {"ErrorItemNotFound"}
ITEM_FAULTS = {
    "ErrorMimeContentConversionFailed", "ErrorContentConversionFailed", "ErrorCorruptData", "ErrorItemCorrupt",
    "ErrorMessageSizeExceeded", "ErrorMimeContentInvalid", "ErrorMimeContentInvalidBase64String",
    "ErrorInvalidIdMalformed", "ErrorInvalidId", "ErrorPropertyValidationFailure", "ErrorInvalidPropertyRequest",
    "ErrorUnsupportedMimeConversion",
    "ErrorVirusDetected", "ErrorVirusMessageDeleted", "ErrorDataSizeLimitExceeded", "ErrorItemPropertyRequestFailed",
    "ErrorUnsupportedTypeForConversion", "ErrorCannotUseFolderIdForItemId", "ErrorInvalidIdEmpty",
    "ErrorInvalidIdMalformedEwsLegacyIdFormat", "ErrorInvalidIdMonikerTooLong", "ErrorInvalidIdStoreObjectIdTooLong",
    "ErrorInvalidIdTooManyAttachmentLevels",
}  # fmt: skip
"""Codes of permanent faults of a single item."""
ITEM_OR_MAILBOX_FAULTS = {
    "ErrorAccessDenied", "ErrorInternalServerError", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied",
    "ErrorImpersonationDenied", "ErrorImpersonationFailed",
}  # fmt: skip
"""Ambiguous codes. The item is at fault if another item has a definite outcome, or if the inbox can be opened.
Otherwise the mailbox is at fault."""
NOT_PROCESSED = {"ErrorBatchProcessingStopped"}
"""Codes for an item that the server did not process."""


def fetch_emails(account: MailboxAccount, changes: Sequence[Change]) -> Iterator[Fetched]:
    """Yield one outcome for each change.

    Args:
        account: Mailbox of the emails.
        changes: Changes whose emails are fetched.

    Yields:
        An email, `Gone` or `Unreadable` for each change, in order.

    Raises:
        IntegrationError: A transient fault, or a permanent fault that is not limited to one item.
        EWSError: An error of the request, which `source` translates.
    """
    requested = list(dict.fromkeys(change.item_id for change in changes))
    service = GetItem(account=account, chunk_size=max(1, len(requested)))
    ids = [EwsItemId(id=item_id) for item_id in requested]
    outcomes = match_outcomes(requested, list(service.call(items=ids, additional_fields=FIELDS, shape="IdOnly")))
    doubtful: list[tuple[Change, Exception]] = []
    conclusive = 0
    for change in changes:
        outcome = outcomes.get(change.item_id)
        code = code_of(outcome) if isinstance(outcome, Exception) else ""
        if outcome is None or code in NOT_PROCESSED:
            yield from _unreadable_items(account, doubtful)
            doubtful.clear()
            yield from _fetch_alone(account, change, len(requested), code)
        elif isinstance(outcome, Exception) and code in ITEM_OR_MAILBOX_FAULTS and not conclusive:
            # The mailbox may be at fault. A later outcome shows whether it is, or else a request for the inbox does.
            doubtful.append((change, outcome))
        else:
            conclusive += 1
            yield from (Unreadable(doubtful_change, code_of(error)) for doubtful_change, error in doubtful)
            doubtful.clear()
            yield (
                _failed(change, outcome) if isinstance(outcome, Exception) else _email(change, outcome, service.mimes)
            )
    yield from _unreadable_items(account, doubtful)


def _fetch_alone(account: MailboxAccount, change: Change, batch_size: int, code: str) -> Iterator[Fetched]:
    """Fetch an item that the server did not process, or left out of its response, in a request for this item alone.

    If the last request was for this item alone already, yield `Unreadable` for an item that was not processed, and raise
    `ExchangeFailed` for an item that was left out.
    """
    if batch_size > 1:
        yield from fetch_emails(account, [change])
    elif code:
        yield Unreadable(change, code)
    else:
        raise ExchangeFailed("the response does not contain the requested item")


def _unreadable_items(account: MailboxAccount, doubtful: Sequence[tuple[Change, Exception]]) -> Iterator[Fetched]:
    """Yield the items as `Unreadable`. If the inbox cannot be opened, raise the error of the mailbox instead."""
    if doubtful:
        read_inbox(account)
    yield from (Unreadable(change, code_of(error)) for change, error in doubtful)


def _email(change: Change, item: Any, mimes: MimeTexts) -> Email | Unreadable:
    item_id = item.find(f"{{{TNS}}}ItemId")
    number = item.findtext(f"{{{TNS}}}MimeContent")
    if number is None:
        return Unreadable(change, "no MIME content")
    try:
        # An empty text is not rejected here: `conversion.mime.head` detects that it is not an email.
        mime = mimes.decoded(number) if number.strip() else b""
    except ValueError:
        return Unreadable(change, "invalid MIME content")
    key = (item_id.get("ChangeKey") if item_id is not None else "") or change.change_key
    return Email(replace(change, change_key=key), mime, _details(item))


def _failed(change: Change, error: Exception) -> Gone | Unreadable:
    code = code_of(error)
    if code in GONE:
        return Gone(change)
    if code in ITEM_FAULTS or code in ITEM_OR_MAILBOX_FAULTS:
        return Unreadable(change, code)
    raise product_error(error) from error


def _details(item: Any) -> ItemDetails:
    def text(name: str) -> str:
        return item.findtext(f"{{{TNS}}}{name}") or ""

    return ItemDetails(
        received=parse_time(text("DateTimeReceived")),
        size=whole_number(text("Size")),
        item_class=text("ItemClass") or "IPM.Note",
        importance=text("Importance"),
        sensitivity=text("Sensitivity"),
        categories=tuple(
            element.text for element in item.iterfind(f"{{{TNS}}}Categories/{{{TNS}}}String") if element.text
        ),
        conversation_topic=text("ConversationTopic"),
        draft=text("IsDraft") == "true",
    )
