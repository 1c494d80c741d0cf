"""Simulate the fixed rules of two consecutive releases, for tests of an upgrade.

The rules are implemented here, in a wrapper of the source, so that the tests do not depend on the current rules of the
product. The first release reads no folder whose name begins with `Imported`, and rejects emails that are marked as drafts.
The second release reads these folders and accepts these emails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self
from unittest.mock import patch

from integrations.messages import Change, ChangePage, Cursor, Folder, FolderChanges, FolderId
from mailboxes import rules_versions
from mailboxes.rules_versions import RulesChange

IMPORTED = "Imported"
REFUSED_CLASS, TAKEN_CLASS = "IPM.Marked", "IPM.Note.Marked"
BEFORE: tuple[RulesChange, ...] = ()
BEHIND = (RulesChange(2, "marked as a draft", lambda change: change.item_class == TAKEN_CLASS),)


@contextmanager
def release(changes: Sequence[RulesChange]) -> Iterator[None]:
    """Set the rules versions of the product within a `with` block."""
    with patch.object(rules_versions, "CHANGES", tuple(changes)):
        yield


class AsReleased:
    """A source that applies the rules of the simulated release."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._source.close()

    def folders(self, after: Cursor | None) -> FolderChanges:
        listed = self._source.folders(after)
        return replace(listed, changed=tuple(map(_folder, listed.changed)))

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        for page in self._source.changes(folder, after):
            yield replace(page, changes=tuple(map(_change, page.changes)))


def _folder(folder: Folder) -> Folder:
    if not folder.name.startswith(IMPORTED):
        return folder
    return replace(folder, holds_mail=rules_versions.current() >= 2, read_since=2)


def _change(change: Change) -> Change:
    if not change.draft:
        return change
    return replace(change, draft=False, item_class=TAKEN_CLASS if rules_versions.current() >= 2 else REFUSED_CLASS)
