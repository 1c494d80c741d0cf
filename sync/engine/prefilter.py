"""The prefilter: decides from the data of a page which of its changes have to be fetched. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conversion.identity import listed_comment_id
from integrations.messages import Change, ChangeKind, CommentId, FolderKind, ItemId
from mailboxes.rules import FilterVerdict, Rules, item_verdict
from mailboxes.rules_versions import wanted_since
from sync.engine.foreign_ids import is_foreign
from sync.engine.newly_wanted import Newly
from sync.engine.records import DELIVERED, NEWLY_WANTED, SET_ASIDE, FolderRecord, ItemRecord, LedgerRecord


@dataclass(frozen=True, slots=True)
class KnownItems:
    """The stored data that the decisions on one page need."""

    items: Mapping[ItemId, ItemRecord] = field(default_factory=dict)
    """The stored items of the page, by item id."""
    twins: Mapping[CommentId, Sequence[ItemRecord]] = field(default_factory=dict)
    """Items of the folder that have a Message-ID of the page, if they were delivered or have foreign ids.

    The key is the comment id of the listed Message-ID."""
    entries: Mapping[CommentId, LedgerRecord] = field(default_factory=dict)
    """Ledger entries of the comments of `items` and `twins`, and of the listed Message-IDs, by comment id."""
    nameless: frozenset[tuple[datetime | None, int]] = frozenset()
    """Received time and size of delivered emails without a Message-ID. The pair identifies such an email in another
    folder."""
    former_until: datetime | None = None
    """The time until which the previous source reported every change. None if no item in `items` or `twins` has a foreign
    id."""
    waiting: frozenset[CommentId] = frozenset()
    """Keys of the emails of the page that are stored as newly wanted and need a decision of an administrator: see
    `sync.engine.newly_wanted`. The decision may have been made already."""


@dataclass(slots=True)
class FilteredPage:
    """A page after the prefilter."""

    fetch: list[Change] = field(default_factory=list)
    adopt: list[tuple[ItemRecord, Change]] = field(default_factory=list)
    """Known emails under a new item id, for example after a mailbox migration."""
    turned_away: list[tuple[Change, FilterVerdict]] = field(default_factory=list)
    withheld: list[tuple[Change, int]] = field(default_factory=list)
    """Newly wanted items, each with the version on which an administrator has to decide."""
    forget: list[ItemId] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Prefilter:
    """The rules and stored data that decide on the items of one folder."""

    verdict: FilterVerdict
    """The verdict on the folder."""
    rules: Rules
    judged_by: str
    """The present filter digest."""
    known: KnownItems
    folder: FolderRecord | None = None
    newly: Newly | None = None
    """The state of newly wanted emails. Requires `folder`. None if no email has to wait for a decision."""

    @property
    def kind(self) -> FolderKind:
        """The kind of the folder."""
        return self.folder.kind if self.folder is not None else FolderKind.ORDINARY


def sort_page(changes: Sequence[Change], prefilter: Prefilter) -> FilteredPage:
    """Sort the changes of a page by the next step: fetch, adopt, reject, withhold, forget or nothing.

    Args:
        changes: The changes of one folder.
        prefilter: The rules and stored data for that folder.

    Returns:
        The sorted page.
    """
    result = FilteredPage()
    for change in changes:
        if change.kind is ChangeKind.DELETED:
            result.forget.append(change.item_id)
        elif change.kind is not ChangeKind.READ:
            _sort_change(change, prefilter, result)
    return result


def newly_wanted(changes: Sequence[Change], prefilter: Prefilter) -> list[tuple[Change, int]]:
    """Return the items of a page that only newer rules want.

    An item is omitted if it was delivered, is a dead letter, or is stored as newly wanted already.

    Args:
        changes: A page of the rescan of a folder.
        prefilter: The rules and stored data for that folder.

    Returns:
        Items, each with the version on which an administrator has to decide; 0 if the item is delivered at once.
    """
    items = []
    for change in changes:
        item = prefilter.known.items.get(change.item_id)
        decided = item is not None and item.verdict in (DELIVERED, SET_ASIDE, NEWLY_WANTED)
        if (
            change.kind in (ChangeKind.CREATED, ChangeKind.UPDATED)
            and not decided
            and _is_newly_wanted(change, prefilter)
        ):
            items.append((change, _version_to_wait_for(change, item, prefilter)))
    return items


def _is_newly_wanted(change: Change, prefilter: Prefilter) -> bool:
    is_wanted = (
        prefilter.verdict is FilterVerdict.WANTED
        and item_verdict(prefilter.rules, change, prefilter.kind) is FilterVerdict.WANTED
    )
    folder = prefilter.folder
    return is_wanted and folder is not None and wanted_since(change, folder.read_since) > folder.looked_through


def _version_to_wait_for(change: Change, item: ItemRecord | None, prefilter: Prefilter) -> int:
    if prefilter.newly is None or prefilter.folder is None:
        return 0
    known = prefilter.known
    is_there = _was_delivered(change, item, known)
    return prefilter.newly.version_to_wait_for(change, prefilter.folder, item, is_there=is_there, listed=known.waiting)


def _sort_change(change: Change, prefilter: Prefilter, result: FilteredPage) -> None:
    known = prefilter.known
    item = known.items.get(change.item_id)
    foreign = _foreign_item(change, known, result) if item is None else None
    verdict = (
        prefilter.verdict
        if prefilter.verdict is not FilterVerdict.WANTED
        else item_verdict(prefilter.rules, change, prefilter.kind)
    )
    if item is not None and _is_same(item, change) and _still_holds(item, verdict, prefilter.judged_by, known):
        result.unchanged += 1
    elif foreign is not None and _still_holds(foreign, verdict, prefilter.judged_by, known):
        result.adopt.append((foreign, change))
    elif verdict is not FilterVerdict.WANTED and not _was_delivered(change, item, known):
        result.turned_away.append((change, verdict))
    elif version := _version_to_wait_for(change, item, prefilter) if verdict is FilterVerdict.WANTED else 0:
        result.withheld.append((change, version))
    elif item is None and (twin := _twin(change, known)) is not None:
        result.adopt.append((twin, change))
    else:
        result.fetch.append(change)


def _is_same(item: ItemRecord, change: Change) -> bool:
    """Return whether the item is unchanged and in the same folder. On some servers a moved item keeps its id."""
    return (item.change_key, item.folder_id) == (change.change_key, change.folder_id)


def _still_holds(item: ItemRecord, verdict: FilterVerdict, judged_by: str, known: KnownItems) -> bool:
    """Return whether the stored decision on this item is still valid."""
    if item.verdict == DELIVERED:
        # The mailbox may have another bucket now: only an entry of the present bucket counts.
        entry = known.entries.get(item.comment_id) if item.comment_id else None
        return entry is not None and _is_as_sent(entry)
    if item.verdict == SET_ASIDE:
        return True  # its retry has its own schedule
    if item.verdict == NEWLY_WANTED:
        return verdict is FilterVerdict.WANTED  # `sync.engine.backlog` delivers it when it may be delivered
    if item.verdict == FilterVerdict.PARTICIPANT and verdict is FilterVerdict.WANTED:
        return item.judged_by == judged_by
    if item.verdict == FilterVerdict.NEVER_SENT:
        return True  # valid under any rules, until the item changes because the draft is sent
    return verdict is not FilterVerdict.WANTED


def _is_as_sent(entry: LedgerRecord) -> bool:
    """Return whether the bucket has the comment, and no item has to be fetched for its properties.

    `Entries.abandon` clears the digest of outdated properties. A dirty entry needs no fetch in this step, because the
    backlog pushes its properties.
    """
    return entry.confirmed and bool(entry.properties_digest)


def _was_delivered(change: Change, item: ItemRecord | None, known: KnownItems) -> bool:
    """Return whether the email was delivered or its push is intended.

    Such an email is synced even in folders that are not wanted.
    """
    if item is not None and item.comment_id and item.comment_id in known.entries:
        return True
    listed = listed_comment_id(change.message_id)
    if listed is None:
        return (change.received, change.size) in known.nameless
    return listed in known.entries


def _twin(change: Change, known: KnownItems) -> ItemRecord | None:
    """Return the stored item of this email, if the only change is a new item id.

    The stored item has the same folder, Message-ID, received time and size. It also has to be the winner of its ledger
    entry. If the item is not the winner, the email was moved away and back, and its folder has to be pushed again.
    """
    listed = listed_comment_id(change.message_id)
    if listed is None:
        return None
    for item in known.twins.get(listed, ()):
        entry = known.entries.get(item.comment_id) if item.comment_id else None
        if (
            item.verdict == DELIVERED
            and not is_foreign(item.item_id)
            and (item.received, item.size) == (change.received, change.size)
            and entry is not None
            and _is_as_sent(entry)
            and entry.winner_item == item.item_id
        ):
            return item
    return None


def _foreign_item(change: Change, known: KnownItems, result: FilteredPage) -> ItemRecord | None:
    """Return the stored item of this email that has a foreign id, if the email is unchanged.

    The stored item has the same folder, Message-ID, received time and size. Its change key is the same, or the email was
    not changed after `former_until`. If another item of this mailbox is the winner of the comment, the email was moved
    into this folder, and its new folder has to be pushed, so None is returned.
    """
    listed = listed_comment_id(change.message_id)
    taken = {item.item_id for item, _ in result.adopt}
    for item in known.twins.get(listed, ()) if listed else ():
        entry = known.entries.get(item.comment_id) if item.comment_id else None
        if (
            is_foreign(item.item_id)
            and item.item_id not in taken
            and (item.received, item.size) == (change.received, change.size)
            and _is_untouched(item, change, known.former_until)
            and (entry is None or entry.winner_item in (None, item.item_id))
        ):
            return item
    return None


def _is_untouched(item: ItemRecord, change: Change, until: datetime | None) -> bool:
    if change.change_key == item.change_key:
        return True
    return change.modified is not None and until is not None and change.modified <= until
