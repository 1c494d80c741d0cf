"""The source for EWS, which reads one mailbox. It uses only the operations in `operations`, which never write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar

from integrations.ews.changes import change_pages
from integrations.ews.connection import ConnectionSettings, connection
from integrations.ews.errors import translated_errors
from integrations.ews.fetch import fetch_emails
from integrations.ews.folders import folder_changes, read_inbox
from integrations.ews.mailbox import MailboxAccount
from integrations.ews.versions import WorkingVersion
from integrations.messages import Change, ChangePage, Cursor, Fetched, FolderChanges, FolderId

T = TypeVar("T")


class ExchangeSource:
    """Implements `integrations.ports.Source` over EWS. Sends nothing before the first call."""

    def __init__(
        self, settings: ConnectionSettings, address: str, *, page_size: int = 512, fresh: bool = False
    ) -> None:
        """Prepare the source of one mailbox.

        Args:
            settings: Settings of the connection.
            address: Email address of the mailbox.
            page_size: Items per page.
            fresh: Whether to sign in again instead of using an open connection or a stored token.

        Raises:
            SettingsWrong: A setting cannot be used.
        """
        self._page_size = page_size
        self._account = MailboxAccount(address, settings.access, connection(settings, fresh=fresh))

    @property
    def learned(self) -> str:
        """The EWS version of this mailbox, if it is not the version of the connection; else blank. See `ports.Learner`."""
        return str(self._account.working_version or "")

    @learned.setter
    def learned(self, learned: str) -> None:
        self._account.working_version = WorkingVersion.read(learned)

    def check(self) -> None:
        """Sign in and open the inbox.

        Raises:
            IntegrationError: The reason why the mailbox cannot be opened.
        """
        with translated_errors():
            read_inbox(self._account)

    def folders(self, after: Cursor | None) -> FolderChanges:
        """Return the changes of the folder tree since a cursor.

        Args:
            after: Cursor of the previous call; None for the whole tree.

        Returns:
            Changed folders, ids of folders that are gone, and the next cursor.

        Raises:
            CursorRefused: Exchange does not accept the cursor.
            InboxHidden: The account cannot see the tree.
            IntegrationError: Any other error.
        """
        with translated_errors():
            return folder_changes(self._account, after)

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        """Return the pages of changes of one folder since a cursor, each requested when it is consumed.

        Args:
            folder: Id of the folder.
            after: Cursor of the last page that was processed; None to list the whole folder.

        Returns:
            Iterator of at least one page.

        Raises:
            CursorRefused: Exchange does not accept the cursor.
            FolderGone: Exchange does not find the folder: it was deleted, or the account may not see it.
            FolderRefused: The account may not read the folder.
            IntegrationError: Any other error.
        """
        return _steps(lambda: change_pages(self._account, folder, after, self._page_size))

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        """Return one outcome for each change, in order.

        Args:
            changes: Changes whose emails are fetched.

        Returns:
            Iterator of emails, `Gone` and `Unreadable`.

        Raises:
            IntegrationError: A transient fault, or a permanent fault that is not limited to one item.
        """
        return _steps(lambda: fetch_emails(self._account, changes))

    def close(self) -> None:
        """Do nothing: the connection stays open for the next mailbox of the same integration."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _steps(make: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Yield from an iterator and translate the errors of each step. Exceptions of the consumer are not translated."""
    steps = make()
    while True:
        with translated_errors():
            try:
                step = next(steps)
            except StopIteration:
                return
        yield step
