"""How many emails a first sync will bring, before it costs anything. Over the port; nothing is fetched, nothing is kept.

Folders tell how many items they hold, and their pages tell of each item when it arrived and what it is. As many pages are
looked at as there is time for; what is left is reckoned in proportion.
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
    """Emails of one mailbox, or the sum of several."""

    wanted: int = 0
    """Of those looked at, as far as their listing tells: a draft outside Drafts is told by its MIME alone."""
    looked_at: int = 0
    """Emails of wanted folders whose facts were read."""
    unseen: int = 0
    """Items of wanted folders that there was no time for, or that cannot be read yet."""
    elsewhere: int = 0
    """Items of folders that are not wanted."""

    @property
    def is_exact(self) -> bool:
        return not self.unseen

    @property
    def emails(self) -> int:
        """All that is wanted; in proportion where not everything was looked at."""
        if not self.unseen:
            return self.wanted
        share = self.wanted / self.looked_at if self.looked_at else 1.0
        return self.wanted + round(self.unseen * share)

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            self.wanted + other.wanted,
            self.looked_at + other.looked_at,
            self.unseen + other.unseen,
            self.elsewhere + other.elsewhere,
        )


def estimate(source: Source, rules: Rules, *, monotonic: Callable[[], float], until: float) -> Estimate:
    """Look until the time `until` of this clock. Raises what the source raises."""
    wanted, elsewhere = _sorted(source.folders(None).changed, rules)
    found = Estimate(elsewhere=sum(folder.total or 0 for folder in elsewhere))
    for folder in sorted(wanted, key=lambda folder: folder.total or 0):
        try:
            found += _folder(source, folder, rules, monotonic, until)
        except (FolderRefused, FolderGone):
            found += Estimate(unseen=folder.total or 0)
    return found


def _sorted(folders: Sequence[Folder], rules: Rules) -> tuple[list[Folder], list[Folder]]:
    places = positions(folders)
    wanted: list[Folder] = []
    elsewhere: list[Folder] = []
    for folder in folders:
        if folder.holds_mail:
            place = places[FolderId(folder.id)]
            is_wanted = folder_verdict(rules, place.path, place.kinds) is FilterVerdict.WANTED
            (wanted if is_wanted else elsewhere).append(folder)
    return wanted, elsewhere


def _folder(source: Source, folder: Folder, rules: Rules, monotonic: Callable[[], float], until: float) -> Estimate:
    looked_at = wanted = 0
    if folder.total == 0:
        return Estimate()
    if monotonic() < until:
        for page in source.changes(folder.id, None):
            items = [change for change in page.changes if change.kind is ChangeKind.CREATED]
            looked_at += len(items)
            wanted += sum(item_verdict(rules, change, folder.kind) is FilterVerdict.WANTED for change in items)
            if page.last:
                return Estimate(wanted, looked_at)
            if monotonic() >= until:
                break
    return Estimate(wanted, looked_at, max(0, (folder.total or 0) - looked_at))
