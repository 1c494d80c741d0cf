"""Find the current folders of messages that a folder reported as removed.

A reported removal is only a hint. Users of Graph with immutable ids observed two deviations from its documentation: a
message that was moved away and back between two requests was reported as removed, and a move was reported only as a
removal, without a row in the target folder. So each message is requested by its id, up to 20 messages in one `$batch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.errors import ExchangeFailed
from integrations.graph.batches import batch_request
from integrations.graph.connection import PREFER_IDS
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.graph.responses import GraphResponse, parts_of
from integrations.graph.rows import EXPAND, SELECT, folder_of, item_id
from integrations.messages import Change, ChangeKind, FolderId, ItemId

MAX_UNCLEAR = 100
"""Maximum number of messages per folder that later syncs request again. A message adds about 150 characters to the cursor."""
ID_AND_FOLDER = "id,parentFolderId"


@dataclass(frozen=True, slots=True)
class ItemLocations:
    """Result of a search for messages that were reported as removed.

    Attributes:
        changes: Messages that were found, as updates in their current folders, and deletions of messages that do not
            exist.
        unclear: Messages whose folder Graph does not report, for a reason that may be permanent. They are not reported
            as deleted yet.
    """

    changes: tuple[Change, ...]
    unclear: tuple[ItemId, ...]


def locate_items(
    mailbox: GraphMailbox, messages: MessageCache, folder: FolderId, items: Sequence[ItemId]
) -> ItemLocations:
    """Request the current folders of messages that a folder reported as removed.

    Args:
        mailbox: Mailbox of the messages.
        messages: Cache that stores the properties of messages that are found.
        folder: Id of the folder that reported the removals.
        items: Ids of the messages, at most `batches.AT_ONCE`.

    Returns:
        Changes of the located messages, and the ids of the unclear messages.

    Raises:
        IntegrationError: A fault that is not limited to one message, such as throttling. The messages must be
            requested again.
    """
    rows: list[Mapping[str, Any]] = []
    gone: list[Change] = []
    failed: list[ItemId] = []
    unclear: list[ItemId] = []
    for item, response in zip(items, _request_items(mailbox, items), strict=True):
        if response.ok:
            rows.append(_checked(response.document(), item))
        elif response.is_gone():
            gone.append(Change(ChangeKind.DELETED, folder, item))
        elif response.may_be_item_fault():
            failed.append(item)
        elif response.rejects_only_this_item():
            unclear.append(item)
        else:
            raise response.error()
    located, not_located = _locate_without_properties(mailbox, failed)
    return ItemLocations((*messages.located(rows), *located, *gone), (*unclear, *not_located))


def _request_items(mailbox: GraphMailbox, items: Sequence[ItemId]) -> list[GraphResponse]:
    """Return one response per item. An item without a response in the batch, or with a transient error, is requested alone."""
    urls = [mailbox.relative("messages", item, select=SELECT, expand=EXPAND) for item in items]
    batch = mailbox.connection.ask(batch_request(urls, prefer=PREFER_IDS))
    parts = {} if batch.may_be_content_fault() else parts_of(batch.document())
    responses = [parts.get(str(number)) for number in range(len(urls))]
    missing = [number for number, response in enumerate(responses) if response is None or response.is_transient()]
    retried = mailbox.get_all([f"/v1.0{urls[number]}" for number in missing])
    for number, response in zip(missing, retried, strict=True):
        responses[number] = response
    return [response for response in responses if response is not None]


def _locate_without_properties(mailbox: GraphMailbox, items: Sequence[ItemId]) -> tuple[list[Change], list[ItemId]]:
    """Return updates for messages of which Graph reports at least the folder, and the ids of the other messages."""
    changes, not_located = [], []
    responses = mailbox.get_all([mailbox.path("messages", item, select=ID_AND_FOLDER) for item in items])
    for item, response in zip(items, responses, strict=True):
        if response.ok:
            current = FolderId(folder_of(_checked(response.document(), item)))
            changes.append(Change(ChangeKind.UPDATED, current, item))
        else:
            not_located.append(item)
    return changes, not_located


def _checked(row: Mapping[str, Any], item: ItemId) -> Mapping[str, Any]:
    if item_id(row) != item:
        raise ExchangeFailed("the response is about another item than the request")
    if not folder_of(row):
        raise ExchangeFailed("the response does not name the folder of the message")
    return row
