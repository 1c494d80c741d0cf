"""A safety net for unreported changes: compares the total of a folder with the count of its reported items. Pure.

Exchange reports how many items a folder contains (EWS: `TotalCount`, Graph: `totalItemCount`). The change reports of the
folder, since the beginning of its last listing, show which items are in it. `sync.store.folder_rosters` stores these
items with the cursor and counts each item once, wanted or not, however often the item is reported. If this count and the
total differ, a change was not reported, or the folder contains items that Exchange counts and never lists.

1. About once an hour the whole tree is requested, which includes the totals. Trees of more than 200 folders need more
   requests, and are requested less often.
2. The total is compared at the next read of the folder, if that read reaches the end of the folder and reports no
   change except of read states. Such a read shows that nothing was added or removed since the previous read, which
   ended before the total was reported. So mail that arrived between the previous read and the report of the total
   cannot look like a difference.
3. A difference is a doubt at first, since reports may be late. The difference is certain if the next read, too, reaches
   the end of the folder and reports no change except of read states. Otherwise the doubt is dropped.
4. Then the folder is listed again, once. The stored items and the ledger show what was delivered, so nothing is pushed
   twice.
5. If a difference remains after the listing, it is stored as the usual difference of this folder. Pages show the usual
   difference, and it is not investigated again.

A folder whose cursor is older than this feature has no count. Its items are counted from its next listing on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

EVERY = timedelta(hours=1)
"""Shortest time between two reads of the whole tree, if a read needs one request. A read that needs more requests is
repeated less often: see `next_tree_read`."""
FOLDERS_AT_ONCE = 200
"""Maximum number of folders in the response to one request."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A total that differs from the count."""

    total: int
    difference: int
    """The total minus the count, when the two were compared."""


@dataclass(frozen=True, slots=True)
class FolderTally:
    """The count of the items of a folder after a page of its changes, and the known differences from the total."""

    counted: int | None
    """Number of items in the folder by its reports. None if the items were not counted from the beginning of a listing."""
    usual: int = 0
    """The usual difference: the total minus the count, if listing the folder again did not change that difference."""
    doubt: Doubt | None = None
    """A difference that is being investigated."""


@dataclass(frozen=True, slots=True)
class Read:
    """The kind of a page that was read."""

    of_listing: bool
    """The page lists what is in the folder, as opposed to what changed."""
    last: bool
    quiet: bool
    """The page is the last one, it also reports removals (`ChangePage.reports_removals`), and it reports no change except
    of read states."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to store of a folder, and whether to list it again."""

    usual: int
    doubt: Doubt | None = None
    list_again: bool = False


def judge(tally: FolderTally, read: Read, total: int | None) -> Judgement:
    """Decide, after a page, whether the total of the folder differs and whether to list the folder again.

    Args:
        tally: The count and the known differences of the folder, this page included.
        read: The kind of the page.
        total: The total of the folder, if it was reported after the previous page; None when there is no total to
            compare.

    Returns:
        The difference to store, and whether to list the folder again.
    """
    if read.of_listing:
        return Judgement(_usual_after(tally)) if read.last else Judgement(tally.usual, tally.doubt)
    if not read.quiet or tally.counted is None:
        return Judgement(tally.usual)
    if tally.doubt is not None:
        return Judgement(tally.usual, tally.doubt, list_again=True)
    if total is None or total - tally.counted == tally.usual:
        return Judgement(tally.usual)
    if total == tally.counted:
        return Judgement(0)
    return Judgement(tally.usual, Doubt(total, total - tally.counted))


def next_tree_read(folders: int, mailbox_id: int) -> timedelta:
    """Return how long to wait before the whole tree is requested again.

    The interval is `EVERY` times the number of requests, and up to 45% longer, depending on `mailbox_id`. So mailboxes that
    began at the same time do not all request their trees at the same time.

    Args:
        folders: The number of folders of the mailbox.
        mailbox_id: The key of the mailbox.

    Returns:
        The interval.
    """
    requests = max(1, -(-folders // FOLDERS_AT_ONCE))
    return EVERY * requests * (1 + mailbox_id % 10 / 20)


def difference_text(usual: int) -> str:
    """Return the usual difference of a folder as text for users.

    Args:
        usual: The total minus the listed items.

    Returns:
        Two sentences; blank when there is no difference.
    """
    if not usual:
        return ""
    items = "1 item" if abs(usual) == 1 else f"{abs(usual):,} items"
    if usual > 0:
        return f"Exchange counts {items} more here than it lists. Listing it again did not change that."
    return f"Exchange lists {items} more here than it counts. Listing it again did not change that."


def _usual_after(tally: FolderTally) -> int:
    """Return the usual difference to store after a listing.

    If mail was added or removed during the listing, the remaining difference means nothing. Then the difference that was
    investigated is returned, and the next comparison shows whether that is right.
    """
    if tally.doubt is None or tally.counted is None:
        return tally.usual
    remaining = tally.doubt.total - tally.counted
    return remaining if remaining in (0, tally.usual) else tally.doubt.difference
