"""The source: one mailbox of one connection to Exchange, over EWS. Read-only by construction: see `operations`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar

from integrations.ews.changes import change_pages
from integrations.ews.connection import ConnectionSettings, connection
from integrations.ews.errors import translated
from integrations.ews.fetch import fetched
from integrations.ews.folders import folder_changes, read_inbox
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.versions import WorkingVersion
from integrations.messages import Change, ChangePage, Cursor, Fetched, FolderChanges, FolderId

T = TypeVar("T")


class ExchangeSource:
    """See `integrations.ports.Source`. Sends nothing until it is asked something."""

    def __init__(
        self, settings: ConnectionSettings, address: str, *, page_size: int = 512, fresh: bool = False
    ) -> None:
        """`fresh`: sign in anew, by no connection or token from before. Raises `SettingsWrong` for settings that cannot be
        right, whatever Exchange says."""
        self._page_size = page_size
        self._account = MailboxAccount(address, settings.access, connection(settings, fresh=fresh))

    @property
    def learned(self) -> str:
        """See `integrations.ports.Learner`: the version of EWS that works for this mailbox, where that of the connection does
        not."""
        return str(self._account.settled or "")

    @learned.setter
    def learned(self, learned: str) -> None:
        self._account.settled = WorkingVersion.read(learned)

    def check(self) -> None:
        with translated():
            read_inbox(self._account)

    def folders(self, after: Cursor | None) -> FolderChanges:
        with translated():
            return folder_changes(self._account, after)

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        return _steps(lambda: change_pages(self._account, folder, after, self._page_size))

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        return _steps(lambda: fetched(self._account, changes))

    def close(self) -> None:
        """The connection stays open for the next mailbox behind it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _steps(make: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Each step of an iterator translated for itself: what its consumer raises in between is not ours."""
    steps = make()
    while True:
        with translated():
            try:
                step = next(steps)
            except StopIteration:
                return
        yield step
