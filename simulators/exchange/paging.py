"""Paging of FindItem and FindFolder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from simulators.exchange.soap import NS, Call, SoapFault

MOST = 1000
"""Maximum number of rows of a page: EWSFindCountLimit of the throttling policy."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """A page, and the offset of the next page, as in the attributes of `m:RootFolder`. `total`: number of all found rows."""

    rows: list[Row]
    next_offset: int
    total: int
    last: bool

    @property
    def attributes(self) -> str:
        return (
            f'IndexedPagingOffset="{self.next_offset}" TotalItemsInView="{self.total}"'
            f' IncludesLastItemInRange="{str(self.last).lower()}"'
        )


@dataclass(frozen=True)
class View:
    """The requested page. `from_end`: the offset counts from the end, backwards."""

    most: int = MOST
    offset: int = 0
    from_end: bool = False

    def page(self, found: Sequence[Row]) -> Rows[Row]:
        """The requested page of all found rows."""
        total, most = len(found), min(self.most, MOST)
        if self.from_end:
            end = max(0, total - self.offset)
            start = max(0, end - most)
            return Rows(list(found[start:end]), total - start, total, start == 0)
        end = min(total, self.offset + most)
        return Rows(list(found[self.offset : end]), max(end, self.offset), total, end >= total)


def view(call: Call, name: str) -> View:
    """Parse the element `name`; without this element, the first page is requested. Raises `SoapFault`."""
    element = call.body.find(f"m:{name}", NS)
    if element is None:
        return View()
    base = element.get("BasePoint")
    if base not in ("Beginning", "End"):
        raise SoapFault("ErrorSchemaValidation", "BasePoint must be Beginning or End.")
    offset, most = _whole(element.get("Offset")), _whole(element.get("MaxEntriesReturned") or str(MOST))
    if offset < 0:
        raise SoapFault("ErrorInvalidIndexedPagingParameters", "The offset is negative.")
    if most <= 0:
        raise SoapFault("ErrorInvalidPagingMaxRows", "MaxEntriesReturned must be above zero.")
    return View(most, offset, base == "End")


def _whole(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise SoapFault("ErrorSchemaValidation", "A paging parameter is not a whole number.") from None
