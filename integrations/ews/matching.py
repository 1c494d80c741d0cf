"""Assign the responses of a batch to the requested items, by the item ids in the responses.

A server, or a system in front of it, may change the order of responses, leave out a response, or respond about another
item. None of these cases may lead to the content of one email being stored under the id of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exchangelib.util import TNS

from integrations.errors import ExchangeFailed
from integrations.ews.operations import Outcome
from integrations.ews.responses import code_of
from integrations.messages import ItemId


def match_outcomes(requested: Sequence[ItemId], outcomes: Sequence[Outcome]) -> Mapping[ItemId, Outcome]:
    """Return the outcomes by the ids of their items.

    Error responses contain no item id. They are assigned, in order, to the items that no other response names. This is
    done only if the number of these responses equals the number of these items, and one of two conditions is met: each
    other response is at the position of its item in the request, or all error responses have the same code.

    Args:
        requested: Ids of the request, each once.
        outcomes: Outcomes of the response, in order.

    Returns:
        Outcomes by item id. An item without an outcome is not in the mapping, and the caller must request it alone.

    Raises:
        ExchangeFailed: A response is about an item that was not requested, or two responses are about the same item.
    """
    by_id: dict[ItemId, Outcome] = {}
    without_id: list[Outcome] = []
    wanted = set(requested)
    in_order = len(outcomes) == len(requested)
    for position, outcome in enumerate(outcomes):
        item = _item_of(outcome)
        if item is None:
            without_id.append(outcome)
            continue
        if item in by_id:
            raise ExchangeFailed("the response has two results for the same item")
        if item not in wanted:
            raise ExchangeFailed("the response is about another item than the request")
        by_id[item] = outcome
        in_order = in_order and requested[position] == item
    unmatched = [item for item in requested if item not in by_id]
    same_code = len({code_of(outcome) if isinstance(outcome, Exception) else "" for outcome in without_id}) == 1
    if len(unmatched) == len(without_id) and (in_order or same_code):
        # An element without an item id is ignored, because it may belong to any item.
        by_id.update(
            (item, outcome)
            for item, outcome in zip(unmatched, without_id, strict=True)
            if isinstance(outcome, Exception)
        )
    return by_id


def _item_of(outcome: Outcome) -> ItemId | None:
    if isinstance(outcome, Exception):
        return None
    item_id = outcome.find(f"{{{TNS}}}ItemId")
    return ItemId(item_id.get("Id") or "") or None if item_id is not None else None
