"""FindItem: filter, order and paging of the items of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from simulators.exchange.paging import Rows, View, view
from simulators.exchange.restrictions import ITEM_FIELDS, item_restriction, value_of
from simulators.exchange.soap import NS, Call, SoapFault
from simulators.exchange.store import Folder, Item

UNSIMULATED = (
    "FractionalPageItemView", "SeekToConditionPageItemView", "CalendarView", "ContactsView", "GroupBy",
    "DistinguishedGroupBy", "QueryString",
)  # fmt: skip
TRAVERSALS = ("Shallow", "SoftDeleted", "Associated")


@dataclass(frozen=True)
class Search:
    """The parameters of a FindItem.

    `order` contains (function that reads a value, descending), highest priority first. With a traversal other than
    Shallow, nothing is found, because the store has no associated and no soft-deleted items.
    """

    wanted: Callable[[Item], bool]
    order: list[tuple[Callable[[Item], Any], bool]]
    view: View
    shallow: bool

    @classmethod
    def read(cls, call: Call) -> Search:
        """Parse a request. Raises `SoapFault`."""
        if call.body.get("Traversal") not in TRAVERSALS:
            raise SoapFault("ErrorSchemaValidation", "Traversal must be Shallow, SoftDeleted or Associated.")
        for name in UNSIMULATED:
            if call.body.find(f"m:{name}", NS) is not None:
                raise SoapFault("ErrorInvalidRequest", f"{name} is not simulated.")
        order = [_order(element) for element in call.body.iterfind("m:SortOrder/t:FieldOrder", NS)]
        return cls(
            item_restriction(call), order, view(call, "IndexedPageItemView"), call.body.get("Traversal") == "Shallow"
        )

    def page(self, folder: Folder) -> Rows[Item]:
        """The requested page of the items of a folder; without `order`, newest first."""
        found = sorted(folder.items.values(), key=lambda item: (item.received, item.id), reverse=True)
        found = [item for item in found if self.shallow and self.wanted(item)]
        for read, descending in reversed(self.order):
            found.sort(key=read, reverse=descending)
        return self.view.page(found)


def _order(element: etree._Element) -> tuple[Callable[[Item], Any], bool]:
    path = element.find("t:FieldURI", NS)
    name = path.get("FieldURI", "") if path is not None else ""
    read = value_of(ITEM_FIELDS, name, "ErrorUnsupportedPathForSortGroup")

    def key(item: Item) -> Any:
        value = read(item)
        return value.casefold() if isinstance(value, str) else value

    return key, element.get("Order") == "Descending"
