"""The folders of a mailbox as Exchange lists them now, with the stored row of each."""

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
    """An existing folder whose email is wanted.

    Attributes:
        id: The folder id in Exchange.
        kind: The kind of the folder.
        stored: The stored row, or None when no sync has listed the folder yet.
    """

    id: FolderId
    kind: FolderKind
    stored: SyncedFolder | None

    @property
    def key(self) -> int | str:
        """A key that is unique among the folders of the mailbox: the primary key of the row, otherwise the folder id."""
        return self.stored.pk if self.stored is not None else self.id

    @property
    def up_to_date(self) -> bool:
        """Whether a sync has read the whole folder.

        If so, an email of the folder without a row in `MailboxItem` arrived after that sync, or the sync missed it.
        """
        return self.stored is not None and self.stored.up_to_date


def wanted_now(source: Source, mailbox: Mailbox) -> list[FolderNow]:
    """Request the whole folder tree from Exchange, and return the folders whose email is wanted.

    Args:
        source: The open source of the mailbox.
        mailbox: The mailbox.

    Returns:
        The folders, ordered by path.

    Raises:
        IntegrationError: The request failed.
    """
    folders = source.folders(None).changed
    places, rules = positions(folders), mailbox.rules()
    wanted = [
        folder
        for folder in folders
        if folder.holds_mail
        and folder_verdict(rules, places[folder.id].path, places[folder.id].kinds) is FilterVerdict.WANTED
    ]
    stored = {row.folder_id: row for row in mailbox.folders.filter(gone=False)}
    wanted.sort(key=lambda folder: places[folder.id].path)
    return [FolderNow(folder.id, folder.kind, stored.get(folder.id)) for folder in wanted]
