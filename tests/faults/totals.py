"""The conditions for folder totals that must hold at the end of a simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulators.exchange import Store
from sync.models import SyncedFolder


def totals_complaints(store: Store, hours_pass: Callable[[], None]) -> Iterator[str]:
    """Yield the violated conditions.

    `hours_pass` lets the product compare each total again. Since there is no new mail, no folder may be listed again. For
    each folder, `counted` must be the number of items that the store lists, and `usual_difference` must be the number of the
    other items in the folder.
    """
    before = _listings(store)
    hours_pass()
    for place, count in _listings(store).items():
        if count != before[place]:
            yield f"{place} was listed again, although nothing had changed"
    for folder in SyncedFolder.objects.filter(gone=False, holds_mail=True).select_related("mailbox"):
        items = store[folder.mailbox.address].folder("/".join(folder.path)).items.values()
        listed = sum(item.listed for item in items)
        if (folder.counted, folder.usual_difference) != (listed, len(items) - listed):
            yield (
                f"{folder} of {folder.mailbox} lists {listed} items of {len(items)}, the product counts {folder.counted} and "
                f"{folder.usual_difference} more"
            )


def _listings(store: Store) -> dict[tuple[str, str], int]:
    return {(box.address, box.path(folder)): folder.listings for box in store for folder in box.folders.values()}
