"""The folders of a mailbox and their checkpoints, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Case, F, PositiveSmallIntegerField, QuerySet, Value, When

from integrations import folder_classes
from integrations.errors import FolderRefused
from integrations.messages import ChangePage, Cursor, Folder, FolderChanges, FolderId, FolderKind, ItemId
from mailboxes.rules_versions import current
from sync.engine.folder_paths import Position, positions
from sync.engine.folder_refusals import next_try
from sync.engine.folder_totals import Doubt, FolderTally, Judgement, Read, judge, next_tree_read
from sync.engine.ports import CheckpointMoved, LeaseLost
from sync.engine.records import FolderRecord, PageAttempt, Round
from sync.models import FROM_THE_BEGINNING, READABLE, TRY_AGAIN, LedgerEntry, MailboxItem, MailboxState, SyncedFolder
from sync.store import folder_rosters
from sync.store.lease import Lease

log = structlog.get_logger(__name__)

TREE_FIELDS = ("parent_id", "name", "path", "kind", "folder_class", "hidden", "holds_mail", "gone", "read_since")
"""The fields of a folder that a read of the tree sets, except the total of the folder."""
TreeValues = tuple[object, ...]
"""The values of `TREE_FIELDS` of one folder."""
NOTHING_TO_COMPARE: dict[str, Any] = {"to_compare": False, "doubted_total": None, "doubted_difference": None}
"""The field values of a folder whose total cannot be compared, because a page of another folder reported its items."""


def uncount_attempts(folders: QuerySet[SyncedFolder]) -> None:
    """Undo the count of the last attempt at these folders, because no email caused the end of that attempt.

    Args:
        folders: The folders.
    """
    folders.filter(attempts__gt=0).update(attempts=F("attempts") - 1, attempt_of=None)


class DatabaseCheckpoints:
    """Implements `sync.engine.ports.Checkpoints`, which documents arguments, results and errors of the methods."""

    def __init__(self, lease: Lease, address: str) -> None:
        """Open the checkpoints of a mailbox.

        Args:
            lease: The lease of the sync.
            address: The address of the mailbox.
        """
        self.lease = lease
        self.address = address.casefold()
        self.mailbox_id = lease.mailbox_id
        self._paths: dict[FolderId, tuple[str, ...]] = {}
        self._loaded: dict[FolderId, SyncedFolder] = {}
        """The rows that `folders` read. A row is removed when its checkpoint moves or its count changes."""

    def folders_cursor(self) -> Cursor | None:
        """Return the cursor of the folder tree. See `Checkpoints.folders_cursor`."""
        # The whole tree is also needed after a change of the address, because a new address is another mailbox, and after
        # an upgrade to a release that reads other folders.
        state = self._state
        is_ours = state.folders_of == self.address and state.tree_version == folder_classes.VERSION
        if not is_ours or not state.folders_cursor or self._is_whole_tree_due():
            return None
        return Cursor(state.folders_cursor)

    def _is_whole_tree_due(self) -> bool:
        """Return whether the read of the whole tree was due when the lease was last renewed.

        The time of that renewal follows from the end of the lease, so an idle sync does not have to query the time of
        the database.
        """
        due, until = self._state.whole_tree_at, self._state.lease_until
        return due is None or (until is not None and due <= until - self.lease.length)

    def round(self) -> Round:
        """Return the round in which this sync began. See `Checkpoints.round`."""
        return Round(self._state.round, self._state.pass_began, self._state.failures)

    @cached_property
    def _state(self) -> MailboxState:
        """The state of the mailbox when this sync first read it."""
        state = MailboxState.objects.filter(pk=self.mailbox_id).first()
        if state is None:  # the mailbox was deleted meanwhile
            raise LeaseLost
        return state

    @transaction.atomic
    def next_round(self) -> None:
        """Begin the next round. See `Checkpoints.next_round`."""
        self.lease.demand()
        same = MailboxState.objects.filter(pk=self.mailbox_id, round=self._state.round)
        same.update(round=self._state.round + 1)

    @transaction.atomic
    def record_folders(self, changes: FolderChanges, *, complete: bool) -> None:
        """Store the folder tree and its cursor. See `Checkpoints.record_folders`."""
        self.lease.demand()
        self._paths = {}
        if changes.changed or changes.gone or complete:
            self._record(changes, complete)
        values: dict[str, object] = {"folders_cursor": changes.cursor, "folders_of": self.address}
        values["tree_version"] = folder_classes.VERSION
        if complete:
            values["whole_tree_at"] = self.lease.clock() + next_tree_read(len(changes.changed), self.mailbox_id)
        MailboxState.objects.filter(pk=self.mailbox_id).update(**values)

    def folders(self) -> Sequence[FolderRecord]:
        """Return the folders that hold mail and still exist. See `Checkpoints.folders`."""
        rows = list(self._rows().filter(gone=False))
        self._loaded = {FolderId(row.folder_id): row for row in rows}
        places = positions(map(_folder, rows))
        # Query the time of the database only if a folder waits for a retry.
        now = self.lease.clock() if any(row.retry_at for row in rows) else None
        return [_record(row, places[FolderId(row.folder_id)], now) for row in rows if row.holds_mail]

    def path(self, folder: FolderId) -> tuple[str, ...]:
        """Return the present path of a folder.

        Args:
            folder: The folder.

        Returns:
            The names from the mailbox root to the folder.
        """
        if folder not in self._paths:
            self._paths = {FolderId(row.folder_id): tuple(row.path) for row in self._rows()}
        return self._paths[folder]

    @transaction.atomic
    def begin(self, folder: FolderId) -> PageAttempt:
        """Count an attempt at the page after the checkpoint. See `Checkpoints.begin`."""
        self.lease.demand()
        self._rows().filter(folder_id=folder).update(attempts=F("attempts") + 1, attempt_of=self.lease.token)
        row = self._rows().get(folder_id=folder)
        return PageAttempt(row.attempts, ItemId(row.item_in_hand) if row.item_in_hand else None)

    def uncount_attempt(self, folder: FolderId) -> None:
        """Undo the count of `begin`. See `Checkpoints.uncount_attempt`."""
        uncount_attempts(self._rows().filter(folder_id=folder, attempt_of=self.lease.token))

    def record_item_in_hand(self, folder: FolderId, item: ItemId) -> None:
        """Store which item is processed next. See `Checkpoints.record_item_in_hand`."""
        self._rows().filter(folder_id=folder).update(item_in_hand=item)

    @transaction.atomic
    def advance(
        self, folder: FolderId, page: ChangePage, *, before: Cursor | None, wanted: str, had_turn: bool = True
    ) -> bool:
        """Move the checkpoint to the end of a page. See `Checkpoints.advance`."""
        self.lease.demand()
        row = self._row_at(folder, before)
        values: dict[str, object] = {}
        if had_turn:
            values["turn"] = self._state.round
        if before is None or page.last:
            values["listing"] = not page.last
        if page.last:
            values["looked_through"] = _looked_through(before)
        counted = _counted(row, page, before)
        judgement = _judge(row, page, before, counted)
        values |= {
            "cursor": page.cursor,
            "pages": F("pages") + 1,
            "wanted_digest": wanted,
            "attempts": 0,
            "item_in_hand": "",
            "up_to_date": page.last,
            "synced_at": self.lease.clock(),
            "counted": counted,
            **READABLE,
        }
        if judgement.list_again:
            log.info("sync.total_differs", folder=row.pk, total=row.total, counted=counted)
            values |= FROM_THE_BEGINNING
            MailboxState.objects.filter(pk=self.mailbox_id).update(up_to_date=False)
        values |= _judgement_values(row, page, judgement)
        if not self._rows().filter(pk=row.pk, cursor=before or "").update(**values):
            raise CheckpointMoved
        self._count_elsewhere(folder, page)
        return judgement.list_again

    def _count_elsewhere(self, folder: FolderId, page: ChangePage) -> None:
        """Count the items that this page reports in other folders, because those folders may not report them."""
        others = {change.folder_id for change in page.changes} - {folder}
        for row in self._rows().filter(folder_id__in=others, counted__isnull=False) if others else ():
            there = FolderId(row.folder_id)
            changes = [change for change in page.changes if change.folder_id == there]
            growth = folder_rosters.record_changes(row.pk, there, changes)
            self._rows().filter(pk=row.pk).update(counted=F("counted") + growth, **NOTHING_TO_COMPARE)
            self._loaded.pop(there, None)

    def _row_at(self, folder: FolderId, cursor: Cursor | None) -> SyncedFolder:
        """Return the folder if its checkpoint is at this cursor. Otherwise raise `CheckpointMoved`.

        If `folders` has loaded the row at this cursor, the row is not queried again.
        """
        row = self._loaded.pop(folder, None)
        if row is None or row.cursor != (cursor or ""):
            row = self._rows().filter(folder_id=folder, cursor=cursor or "").first()
        if row is None:
            raise CheckpointMoved
        return row

    @transaction.atomic
    def end_turn(self, folder: FolderId, *, wanted: str) -> None:
        """End the turn of a failing folder. See `Checkpoints.end_turn`."""
        self.lease.demand()
        self._rows().filter(folder_id=folder).update(turn=self._state.round, wanted_digest=wanted, up_to_date=False)

    @transaction.atomic
    def not_found(self, folder: FolderId, *, wanted: str) -> None:
        """End the turn of a folder that the server does not find. See `Checkpoints.not_found`."""
        self.lease.demand()
        values = READABLE | {"turn": self._state.round, "wanted_digest": wanted, "up_to_date": True, "not_found": True}
        self._rows().filter(folder_id=folder).update(**values)

    @transaction.atomic
    def refuse(self, folder: FolderId, error: FolderRefused, *, wanted: str, left_out: bool) -> None:
        """End the turn of a folder that cannot be read. See `Checkpoints.refuse`."""
        self.lease.demand()
        now = self.lease.clock()
        row = self._rows().get(folder_id=folder)
        attempts = row.refused_attempts + 1 if row.wanted_digest == wanted else 1
        self._rows().filter(pk=row.pk).update(
            turn=self._state.round,
            wanted_digest=wanted,
            up_to_date=False,
            refused_kind=error.kind,
            refused_detail=error.detail,
            refused_since=row.refused_since or now,
            refused_attempts=attempts,
            retry_at=next_try(now, attempts),
            left_out=left_out,
        )

    @transaction.atomic
    def clear_left_out(self) -> None:
        """Let the next sync try every refused folder. See `Checkpoints.clear_left_out`."""
        self.lease.demand()
        refused = self._rows().filter(refused_since__isnull=False)
        refused.update(left_out=False, told_of=False, **TRY_AGAIN)

    @transaction.atomic
    def restart(self, folder: FolderId) -> None:
        """Drop the cursor of a folder. See `Checkpoints.restart`."""
        self.lease.demand()
        self._rows().filter(folder_id=folder).update(**FROM_THE_BEGINNING)
        MailboxState.objects.filter(pk=self.mailbox_id).update(up_to_date=False)

    @transaction.atomic
    def move_rescan_cursor(
        self, folder: FolderId, *, before: Cursor | None, after: Cursor | None, last: bool = False
    ) -> None:
        """Move the rescan cursor of a folder. See `Checkpoints.move_rescan_cursor`."""
        self.lease.demand()
        values = {"look_cursor": "", "looked_through": current()} if last else {"look_cursor": after or ""}
        # If an administrator requested a new listing meanwhile, that listing replaces the rescan.
        self._rows().filter(folder_id=folder, look_cursor=before or "", listing=False).exclude(cursor="").update(
            **values
        )

    @transaction.atomic
    def mark_rescanned(self) -> None:
        """Record that every folder was rescanned. See `Checkpoints.mark_rescanned`."""
        self.lease.demand()
        MailboxState.objects.filter(pk=self.mailbox_id).update(looked_for=current())

    def _rows(self) -> QuerySet[SyncedFolder]:
        return SyncedFolder.objects.filter(mailbox_id=self.mailbox_id)

    # ---- the tree -------------------------------------------------------------------------------------------------

    def _record(self, changes: FolderChanges, complete: bool) -> None:
        rows = {row.folder_id: row for row in self._rows()}
        before = {row.pk: _tree_values(row) for row in rows.values()}
        listed = {folder.id for folder in changes.changed}
        gone = {row.folder_id for row in rows.values() if complete and row.folder_id not in listed} | set(changes.gone)
        for folder in changes.changed:
            row = rows.setdefault(folder.id, self._new(folder))
            row.parent_id, row.name = folder.parent_id or "", folder.name[:512]
            row.kind, row.holds_mail, row.gone = folder.kind, folder.holds_mail, False
            row.total, row.to_compare = folder.total, folder.total is not None
            row.hidden, row.folder_class = folder.hidden, folder.folder_class[:255]
            row.read_since = folder.read_since
        for folder_id in gone & rows.keys():
            rows[folder_id].gone = True
        self._save(rows.values(), before)
        changed = [rows[folder_id] for folder_id in listed]
        SyncedFolder.objects.bulk_update(changed, ["total", "to_compare"], batch_size=500)

    def _new(self, folder: Folder) -> SyncedFolder:
        """Return a row for a new folder. The folder counts as rescanned for the version that the mailbox was rescanned for.

        Mail in the folder is treated like mail that was copied into the mailbox after that rescan.
        """
        looked_through = self._state.looked_for
        return SyncedFolder(mailbox_id=self.mailbox_id, folder_id=folder.id, looked_through=looked_through)

    def _save(self, rows: Iterable[SyncedFolder], before: Mapping[int, TreeValues]) -> None:
        """Write changed rows with their paths. A deleted folder passes its items to a new folder at the same path."""
        rows = list(rows)
        places = positions(_folder(row) for row in rows if not row.gone)
        deleted_by_path = {tuple(row.path): row for row in rows if row.gone and not row._state.adding}
        for row in rows:
            if not row.gone:
                self._place(row, list(places[FolderId(row.folder_id)].path), deleted_by_path, before)
            elif not row._state.adding and before[row.pk] != _tree_values(row):
                row.save(update_fields=["gone"])

    def _place(
        self,
        row: SyncedFolder,
        path: list[str],
        deleted_by_path: dict[tuple[str, ...], SyncedFolder],
        before: Mapping[int, TreeValues],
    ) -> None:
        is_new, moved = row._state.adding, row.path != path
        row.path = path
        # Do not write the cursor: an administrator may have dropped it since the row was read.
        if is_new or before[row.pk] != _tree_values(row):
            row.save(update_fields=None if is_new else TREE_FIELDS)
        if is_new:
            deleted = deleted_by_path.pop(tuple(path), None)
            if deleted is not None:
                self._take_over(deleted, row)
        elif moved:
            self._make_dirty(row)

    def _take_over(self, deleted: SyncedFolder, row: SyncedFolder) -> None:
        """Assign the items and dead letters of a deleted folder to the new folder at its path.

        After a migration of the mailbox, or when another source reads it, the same paths have new folder ids.
        """
        deleted.copies.update(folder=row)
        deleted.dead_letters.update(folder=row)
        SyncedFolder.objects.filter(pk=row.pk).update(synced_until=deleted.synced_until)
        folder_rosters.clear(deleted.pk)

    def _make_dirty(self, folder: SyncedFolder) -> None:
        items = MailboxItem.objects.filter(folder=folder).values("item_id")
        LedgerEntry.objects.filter(winner_mailbox_id=self.mailbox_id, winner_item__in=items).update(
            dirty=True, sequence=F("sequence") + 1, mark=None
        )


def _tree_values(row: SyncedFolder) -> TreeValues:
    return tuple(list(value) if isinstance(value := getattr(row, name), list) else value for name in TREE_FIELDS)


def _counted(row: SyncedFolder, page: ChangePage, before: Cursor | None) -> int | None:
    """Return the number of items in the folder by change reports, this page included; None if they are not counted."""
    if before is None:
        folder_rosters.clear(row.pk)
        return folder_rosters.record_changes(row.pk, FolderId(row.folder_id), page.changes)
    if row.counted is None or not page.changes:
        return row.counted
    return row.counted + folder_rosters.record_changes(row.pk, FolderId(row.folder_id), page.changes)


def _judge(row: SyncedFolder, page: ChangePage, before: Cursor | None, counted: int | None) -> Judgement:
    doubt = None
    if row.doubted_total is not None and row.doubted_difference is not None:
        doubt = Doubt(row.doubted_total, row.doubted_difference)
    read = Read(of_listing=before is None or row.listing, last=page.last, quiet=_is_quiet(page))
    return judge(FolderTally(counted, row.usual_difference, doubt), read, row.total if row.to_compare else None)


def _is_quiet(page: ChangePage) -> bool:
    return page.last and page.reports_removals and not any(map(folder_rosters.reports_location, page.changes))


def _judgement_values(row: SyncedFolder, page: ChangePage, judgement: Judgement) -> dict[str, object]:
    doubt = judgement.doubt
    return {
        "usual_difference": judgement.usual,
        "doubted_total": doubt.total if doubt else None,
        "doubted_difference": doubt.difference if doubt else None,
        # The last page was compared now. A page that reports more than read states makes an older total useless.
        "to_compare": row.to_compare and not page.last and not any(map(folder_rosters.reports_location, page.changes)),
    }


def _folder(row: SyncedFolder) -> Folder:
    parent = FolderId(row.parent_id) if row.parent_id else None
    return Folder(FolderId(row.folder_id), parent, row.name, FolderKind(row.kind), row.holds_mail)


def _record(row: SyncedFolder, place: Position, now: datetime | None) -> FolderRecord:
    return FolderRecord(
        id=FolderId(row.folder_id),
        path=place.path,
        kinds=place.kinds,
        kind=FolderKind(row.kind),
        holds_mail=row.holds_mail,
        cursor=Cursor(row.cursor) if row.cursor else None,
        wanted_digest=row.wanted_digest,
        up_to_date=row.up_to_date,
        turn=row.turn,
        refused=row.refused_since is not None,
        retry_due=row.retry_at is None or now is None or row.retry_at <= now,
        not_found=row.not_found,
        listing=row.listing,
        read_since=row.read_since,
        looked_through=row.looked_through,
        look_cursor=Cursor(row.look_cursor) if row.look_cursor else None,
    )


def _looked_through(before: Cursor | None) -> object:
    """Return the new value of `looked_through` after the last page. A complete listing replaces the rescan."""
    present = Value(current(), output_field=PositiveSmallIntegerField())
    return present if before is None else Case(When(listing=True, then=present), default=F("looked_through"))
