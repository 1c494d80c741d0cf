"""Estimate how many emails a first sync will push, before the sync costs AI units. No email is fetched or stored.

Exchange reports the number of items in a folder. The pages of a folder report the arrival time and the class of each
item. The estimate reads pages until its time is over, and assumes the same share of wanted emails in the pages that were
not read. If no item was read, all items count as wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from integrations.errors import FolderGone, FolderRefused
from integrations.messages import ChangeKind, Folder, FolderId
from integrations.ports import Source
from mailboxes.rules import FilterVerdict, Rules, folder_verdict, item_verdict
from sync.engine.folder_paths import positions


@dataclass(frozen=True, slots=True)
class Estimate:
    """The emails of one mailbox, or the sum of several mailboxes.

    Attributes:
        wanted: Scanned emails that the rules want, as far as the listing shows. Drafts outside of the Drafts folder are
            included if only their MIME content shows that they are drafts.
        looked_at: Emails of wanted folders that were scanned.
        unseen: Items of wanted folders that were not scanned, for lack of time or because the folder cannot be read.
        elsewhere: Items of folders that the rules do not want.
    """

    wanted: int = 0
    looked_at: int = 0
    unseen: int = 0
    elsewhere: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether all items of wanted folders were scanned."""
        return not self.unseen

    @property
    def emails(self) -> int:
        """The estimated number of wanted emails; extrapolated if not all items were scanned."""
        if not self.unseen:
            return self.wanted
        share = self.wanted / self.looked_at if self.looked_at else 1.0
        return self.wanted + round(self.unseen * share)

    def __add__(self, other: Estimate) -> Estimate:
        """Return the sum of two estimates."""
        return Estimate(
            self.wanted + other.wanted,
            self.looked_at + other.looked_at,
            self.unseen + other.unseen,
            self.elsewhere + other.elsewhere,
        )


def estimate(source: Source, rules: Rules, *, monotonic: Callable[[], float], until: float) -> Estimate:
    """Estimate the emails of one mailbox. Errors of the source propagate, except `FolderRefused` and `FolderGone`.

    Args:
        source: The mailbox.
        rules: The filter rules.
        monotonic: A monotonic clock, in seconds.
        until: Reading of `monotonic` at which the scan stops.

    Returns:
        The estimate.
    """
    wanted, elsewhere = _split_by_verdict(source.folders(None).changed, rules)
    total = Estimate(elsewhere=sum(folder.total or 0 for folder in elsewhere))
    for folder in sorted(wanted, key=lambda folder: folder.total or 0):
        try:
            total += _folder(source, folder, rules, monotonic, until)
        except (FolderRefused, FolderGone):
            total += Estimate(unseen=folder.total or 0)
    return total


def _split_by_verdict(folders: Sequence[Folder], rules: Rules) -> tuple[list[Folder], list[Folder]]:
    position_of = positions(folders)
    wanted: list[Folder] = []
    elsewhere: list[Folder] = []
    for folder in folders:
        if folder.holds_mail:
            position = position_of[FolderId(folder.id)]
            is_wanted = folder_verdict(rules, position.path, position.kinds) is FilterVerdict.WANTED
            (wanted if is_wanted else elsewhere).append(folder)
    return wanted, elsewhere


def _folder(source: Source, folder: Folder, rules: Rules, monotonic: Callable[[], float], until: float) -> Estimate:
    scanned = wanted = 0
    if folder.total == 0:
        return Estimate()
    if monotonic() < until:
        for page in source.changes(folder.id, None):
            items = [change for change in page.changes if change.kind is ChangeKind.CREATED]
            scanned += len(items)
            wanted += sum(item_verdict(rules, change, folder.kind) is FilterVerdict.WANTED for change in items)
            if page.last:
                return Estimate(wanted, scanned)
            if monotonic() >= until:
                break
    return Estimate(wanted, scanned, max(0, (folder.total or 0) - scanned))
