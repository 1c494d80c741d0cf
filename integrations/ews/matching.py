"""Which response of a batch belongs to which item: by the id in it. A server, or something before it, may answer in another
order, leave a response out, or answer about another item; then the content of one email must not become that of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exchangelib.util import TNS

from integrations.errors import ExchangeFailed
from integrations.ews.operations import Outcome
from integrations.ews.responses import code_of
from integrations.messages import ItemId


def matched(asked: Sequence[ItemId], outcomes: Sequence[Outcome]) -> Mapping[ItemId, Outcome]:
    """The outcomes by the ids of their items. `asked`: the ids of the request, each once.

    An item that is missing in the result must be asked for by itself. Errors name no item: they are matched by their place
    where nothing contradicts it. Raises `ExchangeFailed` for an answer about an item that was not asked for, or two about one.
    """
    by_id: dict[ItemId, Outcome] = {}
    nameless: list[Outcome] = []
    wanted = set(asked)
    in_place = len(outcomes) == len(asked)
    for place, outcome in enumerate(outcomes):
        item = _item_of(outcome)
        if item is None:
            nameless.append(outcome)
            continue
        if item in by_id:
            raise ExchangeFailed("it answered twice about one item")
        if item not in wanted:
            raise ExchangeFailed("it answered about another item than the one that was asked for")
        by_id[item] = outcome
        in_place = in_place and asked[place] == item
    left = [item for item in asked if item not in by_id]
    alike = len({code_of(one) if isinstance(one, Exception) else "" for one in nameless}) == 1
    if len(left) == len(nameless) and (in_place or alike):
        # What is neither an error nor has an id says nothing about any item.
        by_id.update((item, one) for item, one in zip(left, nameless, strict=True) if isinstance(one, Exception))
    return by_id


def _item_of(outcome: Outcome) -> ItemId | None:
    if isinstance(outcome, Exception):
        return None
    item_id = outcome.find(f"{{{TNS}}}ItemId")
    return ItemId(item_id.get("Id") or "") or None if item_id is not None else None
