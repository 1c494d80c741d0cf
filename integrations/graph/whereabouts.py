"""Where messages are now that a folder told as removed.

A removal is a hint and no more. Under immutable ids, people have seen Graph tell a message as removed that went away and came
back between two looks, and a move by its removal alone, with no row in the folder that it went to. So each message is asked
for by its id, up to twenty in one `$batch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.errors import ExchangeFailed
from integrations.graph.batches import batch_of
from integrations.graph.connection import PREFER_IDS
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import Messages
from integrations.graph.refusals import GraphAnswer, parts_of
from integrations.graph.rows import EXPAND, SELECT, folder_of, item_id
from integrations.messages import Change, ChangeKind, FolderId, ItemId

MOST_UNCLEAR = 100
"""Messages of a folder that are asked for again and again: each adds about 150 characters to the cursor."""
PLACE = "id,parentFolderId"


@dataclass(frozen=True, slots=True)
class ItemLocations:
    changes: tuple[Change, ...]
    """Of those that are still here or lie in another folder: there, as if they had been listed now. Of the others: gone from
    here."""
    unclear: tuple[ItemId, ...]
    """Those of which Graph does not tell, for a reason that may last: nothing may be concluded yet."""


def whereabouts(mailbox: GraphMailbox, messages: Messages, folder: FolderId, items: Sequence[ItemId]) -> ItemLocations:
    """Ask where these messages are, at most `batches.AT_ONCE`, which `folder` told as removed.

    Raises what is no single message's fault, such as throttling: then the hints must be kept and asked for again.
    """
    rows: list[Mapping[str, Any]] = []
    gone: list[Change] = []
    failed: list[ItemId] = []
    unclear: list[ItemId] = []
    for item, answer in zip(items, _asked(mailbox, items), strict=True):
        if answer.ok:
            rows.append(_checked(answer.document(), item))
        elif answer.is_gone():
            gone.append(Change(ChangeKind.DELETED, folder, item))
        elif answer.is_its_own():
            failed.append(item)
        elif answer.refuses_this_alone():
            unclear.append(item)
        else:
            raise answer.refusal()
    placed, unplaced = _placed(mailbox, failed)
    return ItemLocations((*messages.found(rows), *placed, *gone), (*unclear, *unplaced))


def _asked(mailbox: GraphMailbox, items: Sequence[ItemId]) -> list[GraphAnswer]:
    """An answer for each. What the batch does not answer for good is asked for once more by itself."""
    urls = [mailbox.relative("messages", item, select=SELECT, expand=EXPAND) for item in items]
    batch = mailbox.connection.ask(batch_of(urls, prefer=PREFER_IDS))
    told = {} if batch.may_be_its_content() else parts_of(batch.document())
    answers = [told.get(str(number)) for number in range(len(urls))]
    open_ = [number for number, answer in enumerate(answers) if answer is None or answer.may_pass()]
    again = mailbox.ask_all([f"/v1.0{urls[number]}" for number in open_])
    for number, answer in zip(open_, again, strict=True):
        answers[number] = answer
    return [answer for answer in answers if answer is not None]


def _placed(mailbox: GraphMailbox, items: Sequence[ItemId]) -> tuple[list[Change], list[ItemId]]:
    """Those whose folder alone can be told, as changes there; and those of which not even that is told."""
    changes, unplaced = [], []
    answers = mailbox.ask_all([mailbox.path("messages", item, select=PLACE) for item in items])
    for item, answer in zip(items, answers, strict=True):
        if answer.ok:
            there = FolderId(folder_of(_checked(answer.document(), item)))
            changes.append(Change(ChangeKind.UPDATED, there, item))
        else:
            unplaced.append(item)
    return changes, unplaced


def _checked(row: Mapping[str, Any], item: ItemId) -> Mapping[str, Any]:
    if item_id(row) != item:
        raise ExchangeFailed("it answered about another item than the one that was asked for")
    if not folder_of(row):
        raise ExchangeFailed("it leaves out in which folder a message is")
    return row
