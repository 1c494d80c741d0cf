"""Gate 1: which changes of a page are worth fetching, by the cheap facts that a page tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conversion.identity import listed_comment_id
from integrations.messages import Change, ChangeKind, CommentId, FolderKind, ItemId
from mailboxes.rules import FilterVerdict, Rules, item_verdict
from mailboxes.rules_versions import wanted_since
from sync.engine.foreign_ids import is_former
from sync.engine.newly_wanted import Newly
from sync.engine.records import DELIVERED, NEWLY_WANTED, SET_ASIDE, FolderRecord, ItemRecord, LedgerRecord


@dataclass(frozen=True, slots=True)
class KnownItems:
    """What we remember that bears on one page."""

    copies: Mapping[ItemId, ItemRecord] = field(default_factory=dict)
    """By item id, of the items on the page."""
    twins: Mapping[CommentId, Sequence[ItemRecord]] = field(default_factory=dict)
    """Copies of this folder by the Message-ID as listed."""
    entries: Mapping[CommentId, LedgerRecord] = field(default_factory=dict)
    """By comment id: of the copies above, and of the Message-IDs as listed."""
    nameless: frozenset[tuple[datetime | None, int]] = frozenset()
    """Received time and size of delivered emails that bear no Message-ID: how one of them is known again elsewhere."""
    former_until: datetime | None = None
    """Until when the source before told of every change, while some copies still have its ids."""
    waiting: frozenset[CommentId] = frozenset()
    """The keys of emails that newer rules want and that wait for an answer: see `sync.engine.newly_wanted`."""


@dataclass(slots=True)
class FilteredPage:
    """A page after gate 1."""

    fetch: list[Change] = field(default_factory=list)
    adopt: list[tuple[ItemRecord, Change]] = field(default_factory=list)
    """Known emails under a new item id: a mailbox that was migrated."""
    turned_away: list[tuple[Change, FilterVerdict]] = field(default_factory=list)
    withheld: list[tuple[Change, int]] = field(default_factory=list)
    """What newer rules want, with the version whose answer it waits for."""
    forget: list[ItemId] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Prefilter:
    """What decides on the items of one folder."""

    verdict: FilterVerdict
    """On the folder."""
    rules: Rules
    judged_by: str
    """The digest of what is wanted now."""
    known: KnownItems
    folder: FolderRecord | None = None
    newly: Newly | None = None
    """Needs the folder. None where nothing has to wait."""

    @property
    def kind(self) -> FolderKind:
        return self.folder.kind if self.folder is not None else FolderKind.ORDINARY


def sort_page(changes: Sequence[Change], gate: Prefilter) -> FilteredPage:
    """Sort a page of a folder."""
    result = FilteredPage()
    for change in changes:
        if change.kind is ChangeKind.DELETED:
            result.forget.append(change.item_id)
        elif change.kind is not ChangeKind.READ:
            _sort_change(change, gate, result)
    return result


def newly_wanted(changes: Sequence[Change], gate: Prefilter) -> list[tuple[Change, int]]:
    """Of a listing of a folder whose changes are followed already: what only newer rules want, and nobody has decided on yet.
    With the version whose answer it waits for; 0 when it comes at once."""
    found = []
    for change in changes:
        copy = gate.known.copies.get(change.item_id)
        decided = copy is not None and copy.verdict in (DELIVERED, SET_ASIDE, NEWLY_WANTED)
        if change.kind in (ChangeKind.CREATED, ChangeKind.UPDATED) and not decided and _is_newly_wanted(change, gate):
            found.append((change, _waits_for(change, copy, gate)))
    return found


def _is_newly_wanted(change: Change, gate: Prefilter) -> bool:
    is_wanted = (
        gate.verdict is FilterVerdict.WANTED and item_verdict(gate.rules, change, gate.kind) is FilterVerdict.WANTED
    )
    folder = gate.folder
    return is_wanted and folder is not None and wanted_since(change, folder.read_since) > folder.looked_through


def _waits_for(change: Change, copy: ItemRecord | None, gate: Prefilter) -> int:
    if gate.newly is None or gate.folder is None:
        return 0
    known = gate.known
    is_there = _was_delivered(change, copy, known)
    return gate.newly.waits_for(change, gate.folder, copy, is_there=is_there, listed=known.waiting)


def _sort_change(change: Change, gate: Prefilter, result: FilteredPage) -> None:
    known = gate.known
    copy = known.copies.get(change.item_id)
    former = _former(change, known, result) if copy is None else None
    verdict = gate.verdict if gate.verdict is not FilterVerdict.WANTED else item_verdict(gate.rules, change, gate.kind)
    if copy is not None and _is_same(copy, change) and _still_holds(copy, verdict, gate.judged_by, known):
        result.unchanged += 1
    elif former is not None and _still_holds(former, verdict, gate.judged_by, known):
        result.adopt.append((former, change))
    elif verdict is not FilterVerdict.WANTED and not _was_delivered(change, copy, known):
        result.turned_away.append((change, verdict))
    elif version := _waits_for(change, copy, gate) if verdict is FilterVerdict.WANTED else 0:
        result.withheld.append((change, version))
    elif copy is None and (twin := _twin(change, known)) is not None:
        result.adopt.append((twin, change))
    else:
        result.fetch.append(change)


def _is_same(copy: ItemRecord, change: Change) -> bool:
    """Whether nothing happened to the copy. Where items keep their ids, one that was moved is another copy."""
    return (copy.change_key, copy.folder_id) == (change.change_key, change.folder_id)


def _still_holds(copy: ItemRecord, verdict: FilterVerdict, judged_by: str, known: KnownItems) -> bool:
    """Whether what was decided on this very copy needs no second thought."""
    if copy.verdict == DELIVERED:
        # Delivered to which bucket? Only the ledger of the present one counts.
        entry = known.entries.get(copy.comment_id) if copy.comment_id else None
        return entry is not None and _is_as_sent(entry)
    if copy.verdict == SET_ASIDE:
        return True  # tried again by its own schedule
    if copy.verdict == NEWLY_WANTED:
        return verdict is FilterVerdict.WANTED  # `sync.engine.backlog` brings it when it may come
    if copy.verdict == FilterVerdict.PARTICIPANT and verdict is FilterVerdict.WANTED:
        return copy.judged_by == judged_by
    if copy.verdict == FilterVerdict.NEVER_SENT:
        return True  # the MIME told it, whatever the rules are; when it is sent, it is another change
    return verdict is not FilterVerdict.WANTED


def _is_as_sent(entry: LedgerRecord) -> bool:
    """Whether the bucket holds what we think it does, and that is what it should. Properties that are known to be outdated have
    no digest: see `Entries.abandon`."""
    return entry.confirmed and bool(entry.properties_digest)


def _was_delivered(change: Change, copy: ItemRecord | None, known: KnownItems) -> bool:
    """Mail already synced is followed wherever it goes, also where nothing new is wanted."""
    if copy is not None and copy.comment_id and copy.comment_id in known.entries:
        return True
    listed = listed_comment_id(change.message_id)
    if listed is None:
        return (change.received, change.size) in known.nameless
    return listed in known.entries


def _twin(change: Change, known: KnownItems) -> ItemRecord | None:
    """The copy that this new item id is, if ids were given out anew: same folder, Message-ID, received time and size.

    Only while that copy is the one synced last: else the email was moved away and back, and its folder must be told.
    """
    listed = listed_comment_id(change.message_id)
    if listed is None:
        return None
    for copy in known.twins.get(listed, ()):
        entry = known.entries.get(copy.comment_id) if copy.comment_id else None
        if (
            copy.verdict == DELIVERED
            and not is_former(copy.item_id)
            and (copy.received, copy.size) == (change.received, change.size)
            and entry is not None
            and _is_as_sent(entry)
            and entry.winner_item == copy.item_id
        ):
            return copy
    return None


def _former(change: Change, known: KnownItems, result: FilteredPage) -> ItemRecord | None:
    """The copy that this item was under the ids of another source: same folder, Message-ID, received time and size, and not
    touched since that source was last read, so that whatever was decided of it holds.

    Not where another copy in this mailbox was synced later: then the email moved here, and its folder must be told.
    """
    listed = listed_comment_id(change.message_id)
    taken = {copy.item_id for copy, _ in result.adopt}
    for copy in known.twins.get(listed, ()) if listed else ():
        entry = known.entries.get(copy.comment_id) if copy.comment_id else None
        if (
            is_former(copy.item_id)
            and copy.item_id not in taken
            and (copy.received, copy.size) == (change.received, change.size)
            and _is_untouched(copy, change, known.former_until)
            and (entry is None or entry.winner_item in (None, copy.item_id))
        ):
            return copy
    return None


def _is_untouched(copy: ItemRecord, change: Change, until: datetime | None) -> bool:
    if change.change_key == copy.change_key:
        return True
    return change.modified is not None and until is not None and change.modified <= until
