"""Emails by their ids: MIME and details, an outcome for each, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from exchangelib.fields import FieldPath
from exchangelib.items import Message
from exchangelib.properties import ItemId as EwsItemId
from exchangelib.util import TNS

from integrations.errors import ExchangeFailed
from integrations.ews.errors import translate
from integrations.ews.folders import read_inbox
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.matching import matched
from integrations.ews.mime_texts import MimeTexts
from integrations.ews.operations import GetItem
from integrations.ews.responses import code_of
from integrations.messages import Change, Email, Fetched, Gone, ItemDetails, Unreadable
from integrations.network.values import moment, whole_number

FIELDS = [
    FieldPath(field=Message.get_field_by_fieldname(name))
    for name in (
        "mime_content", "item_class", "datetime_received", "size", "importance", "sensitivity", "categories",
        "conversation_topic", "is_draft",
    )
]  # fmt: skip
GONE = {"ErrorItemNotFound"}
ITS_OWN = {
    "ErrorMimeContentConversionFailed", "ErrorContentConversionFailed", "ErrorCorruptData", "ErrorItemCorrupt",
    "ErrorMessageSizeExceeded", "ErrorMimeContentInvalid", "ErrorMimeContentInvalidBase64String", "ErrorInvalidIdMalformed",
    "ErrorInvalidId", "ErrorPropertyValidationFailure", "ErrorInvalidPropertyRequest", "ErrorUnsupportedMimeConversion",
    "ErrorVirusDetected", "ErrorVirusMessageDeleted", "ErrorDataSizeLimitExceeded", "ErrorItemPropertyRequestFailed",
    "ErrorUnsupportedTypeForConversion", "ErrorCannotUseFolderIdForItemId", "ErrorInvalidIdEmpty",
    "ErrorInvalidIdMalformedEwsLegacyIdFormat", "ErrorInvalidIdMonikerTooLong", "ErrorInvalidIdStoreObjectIdTooLong",
    "ErrorInvalidIdTooManyAttachmentLevels",
}  # fmt: skip
"""Faults of an item that stay with it."""
PERHAPS_ITS_OWN = {
    "ErrorAccessDenied", "ErrorInternalServerError", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied",
    "ErrorImpersonationDenied", "ErrorImpersonationFailed",
}  # fmt: skip
"""The item's fault while its neighbours can be read, the mailbox's when nothing can."""
STOPPED = {"ErrorBatchProcessingStopped"}


def fetched(account: MailboxAccount, changes: Sequence[Change]) -> Iterator[Fetched]:
    """One outcome for each change. Raises what is no single item's fault."""
    asked = list(dict.fromkeys(change.item_id for change in changes))
    service = GetItem(account=account, chunk_size=max(1, len(asked)))
    ids = [EwsItemId(id=item_id) for item_id in asked]
    outcomes = matched(asked, list(service.call(items=ids, additional_fields=FIELDS, shape="IdOnly")))
    doubtful: list[tuple[Change, Exception]] = []
    readable = 0
    for change in changes:
        outcome = outcomes.get(change.item_id)
        code = code_of(outcome) if isinstance(outcome, Exception) else ""
        if outcome is None or code in STOPPED:
            yield from _doubtful(account, doubtful)
            doubtful.clear()
            yield from _alone(account, change, len(asked), code)
        elif isinstance(outcome, Exception) and code in PERHAPS_ITS_OWN and not readable:
            # Who is to blame shows when something else can be read; until then it waits, and order with it.
            doubtful.append((change, outcome))
        else:
            readable += 1
            yield from (Unreadable(suspect, code_of(error)) for suspect, error in doubtful)
            doubtful.clear()
            yield (
                _failed(change, outcome) if isinstance(outcome, Exception) else _email(change, outcome, service.mimes)
            )
    yield from _doubtful(account, doubtful)


def _alone(account: MailboxAccount, change: Change, of: int, code: str) -> Iterator[Fetched]:
    """The server stopped half-way through a batch, or did not answer about this one: ask for it by itself."""
    if of > 1:
        yield from fetched(account, [change])
    elif code:
        yield Unreadable(change, code)
    else:
        raise ExchangeFailed("it did not answer about the item that was asked for")


def _doubtful(account: MailboxAccount, doubtful: Sequence[tuple[Change, Exception]]) -> Iterator[Fetched]:
    """Nothing else of the batch could be read: the mailbox's fault, unless it can be opened."""
    if doubtful:
        read_inbox(account)
    yield from (Unreadable(change, code_of(error)) for change, error in doubtful)


def _email(change: Change, item: Any, mimes: MimeTexts) -> Email | Unreadable:
    item_id = item.find(f"{{{TNS}}}ItemId")
    number = item.findtext(f"{{{TNS}}}MimeContent")
    if number is None:
        return Unreadable(change, "no MIME content")
    try:
        # What came empty is no email, which others decide: see `conversion.mime.head`.
        mime = mimes.decoded(number) if number.strip() else b""
    except ValueError:
        return Unreadable(change, "broken MIME content")
    key = (item_id.get("ChangeKey") if item_id is not None else "") or change.change_key
    return Email(replace(change, change_key=key), mime, _details(item))


def _failed(change: Change, error: Exception) -> Gone | Unreadable:
    code = code_of(error)
    if code in GONE:
        return Gone(change)
    if code in ITS_OWN or code in PERHAPS_ITS_OWN:
        return Unreadable(change, code)
    raise translate(error) from error


def _details(item: Any) -> ItemDetails:
    def text(name: str) -> str:
        return item.findtext(f"{{{TNS}}}{name}") or ""

    return ItemDetails(
        received=moment(text("DateTimeReceived")),
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
