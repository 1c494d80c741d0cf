"""The source: one mailbox of one connection to Microsoft Graph. Read-only by construction: nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

from integrations.errors import ExchangeFailed, IntegrationError
from integrations.graph.changes import change_pages
from integrations.graph.connection import GraphSettings, connection
from integrations.graph.fetch import fetched
from integrations.graph.folders import folder_changes, read_inbox
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import Messages
from integrations.messages import Change, ChangePage, Cursor, Fetched, FolderChanges, FolderId

T = TypeVar("T")
NOT_AS_AGREED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError)
"""What comes of reading an answer that lacks what Graph promises, or is nested too deeply."""
LARGEST_PAGE = 1000
"""Graph gives no more at once."""


class GraphSource:
    """See `integrations.ports.Source`. Sends nothing until it is asked something."""

    def __init__(self, settings: GraphSettings, address: str, *, page_size: int = 512, fresh: bool = False) -> None:
        """`fresh`: sign in anew, by no connection or token from before. Raises `SettingsWrong` for settings that cannot be
        right, whatever Graph says."""
        self._page_size = min(page_size, LARGEST_PAGE)
        self._mailbox = GraphMailbox(address, connection(settings, fresh=fresh))
        self._messages = Messages(self._mailbox)

    def check(self) -> None:
        with self._call():
            read_inbox(self._mailbox)

    def folders(self, after: Cursor | None) -> FolderChanges:
        with self._call():
            return folder_changes(self._mailbox, after)

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        return self._steps(lambda: change_pages(self._mailbox, folder, after, self._page_size, self._messages))

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        return self._steps(lambda: fetched(self._mailbox, changes, self._messages))

    def close(self) -> None:
        """The connection stays open for the next mailbox behind it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """Around each call of the port: it has its deadline, and what comes out speaks our language."""
        self._mailbox.connection.deadline.start()
        try:
            self._mailbox.check_address()
            yield
        except IntegrationError:
            raise
        except NOT_AS_AGREED:
            # Not raised from it: its text could quote the answer.
            raise ExchangeFailed("its answer is not as agreed") from None

    def _steps(self, make: Callable[[], Iterator[T]]) -> Iterator[T]:
        """Each step of an iterator is a call of its own: what its consumer raises in between is not ours."""
        steps = make()
        while True:
            with self._call():
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step
