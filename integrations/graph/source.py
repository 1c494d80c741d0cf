"""The source for Microsoft Graph: one mailbox of one connection. It never writes to the mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

from integrations.errors import ExchangeFailed, IntegrationError
from integrations.graph.changes import change_pages
from integrations.graph.connection import GraphSettings, connection
from integrations.graph.fetch import fetch_emails
from integrations.graph.folders import folder_changes, read_inbox
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.messages import Change, ChangePage, Cursor, Fetched, FolderChanges, FolderId

T = TypeVar("T")
FORMAT_ERRORS = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError)
"""Exceptions that occur when a response lacks documented properties, or is nested too deeply."""
LARGEST_PAGE = 1000
"""Maximum number of rows per page that Graph returns."""


class GraphSource:
    """Implements `integrations.ports.Source` over Graph. Sends nothing before the first call."""

    def __init__(self, settings: GraphSettings, address: str, *, page_size: int = 512, fresh: bool = False) -> None:
        """Prepare the source of one mailbox.

        Args:
            settings: Settings of the connection.
            address: Email address of the mailbox.
            page_size: Messages per page. A higher number than `LARGEST_PAGE` is reduced to it.
            fresh: True to sign in again, without an open connection or a stored token.

        Raises:
            SettingsWrong: A setting cannot be used.
        """
        self._page_size = min(page_size, LARGEST_PAGE)
        self._mailbox = GraphMailbox(address, connection(settings, fresh=fresh))
        self._messages = MessageCache(self._mailbox)

    def check(self) -> None:
        """Sign in and open the inbox.

        Raises:
            IntegrationError: The reason why the mailbox cannot be opened.
        """
        with self._call():
            read_inbox(self._mailbox)

    def folders(self, after: Cursor | None) -> FolderChanges:
        """Return the changes of the folder tree since a cursor.

        Args:
            after: Cursor of the previous call; None for the whole tree.

        Returns:
            Changed folders, ids of deleted folders, and the next cursor.

        Raises:
            CursorRefused: The cursor cannot be used.
        """
        with self._call():
            return folder_changes(self._mailbox, after)

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        """Return the pages of changes of one folder since a cursor, each requested when it is consumed.

        Args:
            folder: Id of the folder.
            after: Cursor of the last page that was processed; None to list the whole folder.

        Returns:
            Iterator of at least one page.

        Raises:
            CursorRefused: The cursor cannot be used.
            FolderGone: Graph does not find the folder: it was deleted, or the account may not see it.
            FolderRefused: The account may not read the folder.
        """
        return self._steps(lambda: change_pages(self._mailbox, folder, after, self._page_size, self._messages))

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        """Return one outcome for each change, in order.

        Args:
            changes: Changes whose emails are fetched.

        Returns:
            Iterator of emails, `Gone` and `Unreadable`.

        Raises:
            IntegrationError: A fault that is not limited to one item.
        """
        return self._steps(lambda: fetch_emails(self._mailbox, changes, self._messages))

    def close(self) -> None:
        """Do nothing: the connection stays open for the next mailbox of the same integration."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """Wrap one call of the port: start its deadline, and translate format errors to errors of the product."""
        self._mailbox.connection.deadline.start()
        try:
            self._mailbox.check_address()
            yield
        except IntegrationError:
            raise
        except FORMAT_ERRORS:
            # The cause is left out: its text could quote the response.
            raise ExchangeFailed("the response does not have the documented format") from None

    def _steps(self, make: Callable[[], Iterator[T]]) -> Iterator[T]:
        """Yield the results of an iterator. Each step has a new deadline. Exceptions of the consumer are not translated."""
        steps = make()
        while True:
            with self._call():
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step
