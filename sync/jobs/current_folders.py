"""The folders of a mailbox as Exchange tells them now, beside what is remembered of each."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.messages import FolderId, FolderKind
from integrations.ports import Source
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, folder_verdict
from sync.engine.folder_paths import positions
from sync.models import SyncedFolder


@dataclass(frozen=True, slots=True)
class FolderNow:
    """A folder that is there, and whose mail is wanted."""

    id: FolderId
    kind: FolderKind
    known: SyncedFolder | None
    """None of one that no sync has seen yet."""

    @property
    def key(self) -> int | str:
        """What names it among those of its mailbox, now and later."""
        return self.known.pk if self.known is not None else self.id

    @property
    def up_to_date(self) -> bool:
        """Whether a sync has read it to its end, so that an email in it that is not known is one that was missed."""
        return self.known is not None and self.known.up_to_date


def wanted_now(source: Source, mailbox: Mailbox) -> list[FolderNow]:
    """The folders whose mail is wanted, by path. Asks for the whole tree; raises what the source raises."""
    told = source.folders(None).changed
    places, rules = positions(told), mailbox.rules()
    wanted = [
        folder
        for folder in told
        if folder.holds_mail
        and folder_verdict(rules, places[folder.id].path, places[folder.id].kinds) is FilterVerdict.WANTED
    ]
    known = {row.folder_id: row for row in mailbox.folders.filter(gone=False)}
    wanted.sort(key=lambda folder: places[folder.id].path)
    return [FolderNow(folder.id, folder.kind, known.get(folder.id)) for folder in wanted]
