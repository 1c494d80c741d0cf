"""A safety net for changes that no report tells: the total of a folder, held against what its change reports add up to. Pure.

Exchange says how many items a folder holds (EWS: `TotalCount`, Graph: `totalItemCount`). The change reports of the folder, from
its first listing on, say which items are in it: `sync.store.folder_rosters` keeps them with the cursor and counts each
item once, however often it is told, and whatever is wanted of it. Where the two figures differ, a change was not
reported, or the folder holds items that Exchange counts and never lists.

1. About once an hour the whole tree is asked for, and it brings the totals: one request more than the changes of the tree.
2. The total is compared at the next read of the folder that reaches its end and tells of no change. The read before it ended
   earlier than the total was told, so nothing that arrived meanwhile can be mistaken for a difference.
3. A difference is a doubt at first: reports may come late. It is certain when the next read tells of no change either.
4. Then the folder is listed again, once. Copies and ledger know what was delivered, so that nothing is sent twice.
5. A difference that is still there afterwards is usual for this folder. It is shown, and only another one is looked into.

A folder of which nothing is counted, as its cursor is older than this, begins with its next listing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

EVERY = timedelta(hours=1)
"""From one look at the whole tree to the next, for each `FOLDERS_AT_ONCE` folders."""
FOLDERS_AT_ONCE = 200
"""Folders that one request tells of. A larger tree takes several requests and is asked for more rarely."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A total that does not fit."""

    total: int
    difference: int
    """The total without what was counted then."""


@dataclass(frozen=True, slots=True)
class FolderTally:
    """What is known of a folder behind a page of its changes."""

    counted: int | None
    """Items that its reports tell of. None: not counted from the beginning of a listing."""
    usual: int = 0
    """The difference that a listing did not remove."""
    doubt: Doubt | None = None
    """Being looked into."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a page was."""

    of_listing: bool
    """It tells what is in the folder, and not what changed."""
    last: bool
    quiet: bool
    """It is the last one and tells of no item that came or went, and it would have."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to remember of a folder, and whether to list it again."""

    usual: int
    doubt: Doubt | None = None
    list_again: bool = False


def judged(tally: FolderTally, read: Read, total: int | None) -> Judgement:
    """What a page leaves of the difference of its folder. `total`: of the folder, told since the page before; None where there
    is none to compare."""
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


def next_look(folders: int, mailbox_id: int) -> timedelta:
    """How long until the whole tree is asked for again: mailboxes that began together do not stay together."""
    requests = max(1, -(-folders // FOLDERS_AT_ONCE))
    return EVERY * requests * (1 + mailbox_id % 10 / 20)


def in_words(usual: int) -> str:
    """The usual difference of a folder as a sentence for people; blank where there is none."""
    if not usual:
        return ""
    items = "1 item" if abs(usual) == 1 else f"{abs(usual):,} items"
    if usual > 0:
        return f"Exchange counts {items} more here than it lists. Listing it again did not change that."
    return f"Exchange lists {items} more here than it counts. Listing it again did not change that."


def _usual_after(tally: FolderTally) -> int:
    """After a listing. Where mail came and went while it lasted, nobody can say what it removed: then the difference that it
    was for counts as usual, and the next comparison tells whether it is."""
    if tally.doubt is None or tally.counted is None:
        return tally.usual
    left = tally.doubt.total - tally.counted
    return left if left in (0, tally.usual) else tally.doubt.difference
