"""The two ports of the engine: `Source`, from which mail is read, and `Sink`, to which comments are pushed.

Each port has a fake for tests and at least one adapter, and all implementations pass the same contract suite
(`tests/contract`). Sources and sinks are context managers that close themselves on exit. A source can also be a
`Learner`. CONTRIBUTING.md lists what a new source of mail needs in addition to the adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, Self, runtime_checkable

from integrations.messages import (
    Change,
    ChangePage,
    Comment,
    CommentId,
    Cursor,
    Fetched,
    FolderChanges,
    FolderId,
    Receipt,
)


class Source(Protocol):
    """One mailbox of one integration. Every method raises only the errors of `integrations.errors`."""

    def check(self) -> None:
        """Sign in and open the mailbox for reading.

        Raises:
            IntegrationError: The error that an admin should see.
        """

    def folders(self, after: Cursor | None) -> FolderChanges:
        """Return the folders that were added, changed and deleted.

        Args:
            after: The cursor of an earlier call; None for the whole folder tree.

        Returns:
            The changes since `after`, and the next cursor.

        Raises:
            CursorRefused: The server no longer accepts the cursor.
        """

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        """Yield the pages of changes in one folder.

        Each page is requested when the caller takes it. A page contains its cursor, so the cursor is known before any
        email of the page is fetched.

        Args:
            folder: The folder to list.
            after: The cursor of an earlier page; None for the whole folder.

        Returns:
            The pages; at least one.

        Raises:
            CursorRefused: The server no longer accepts the cursor.
            FolderGone: The server does not find the folder: it was deleted, or the account may not see it.
            FolderRefused: The account may not read this folder.
        """

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        """Yield the emails of these changes, one outcome for each change and in the same order.

        The emails are requested together, within one deadline. An item that the server leaves out may be requested again,
        with a deadline of its own. A permanent fault of one item is the outcome of that item and does not affect the
        other items.

        Args:
            changes: The changes, as listed by `changes`.

        Returns:
            The outcomes.

        Raises:
            Transient: A transient fault, of the server or of one item.
            Refused: A permanent fault of the mailbox or the connection.
        """

    def close(self) -> None:
        """Release the resources of the source. The adapter may keep its connections open for other mailboxes."""

    def __enter__(self) -> Self:
        """Return the port itself."""

    def __exit__(self, *exc: object) -> None:
        """Close the port."""


@runtime_checkable
class Learner(Protocol):
    """A source that finds out a fact about its mailbox. The next source of the mailbox uses this fact to save requests.

    Not every source is a learner.

    Attributes:
        learned: The fact, in a format that only the source reads, at most 32 characters; blank for none. Before
            the first call of a method, the caller sets it to the last value of the previous source of the mailbox.
    """

    learned: str


class Sink(Protocol):
    """One bucket of one destination. Every method raises only the errors of `integrations.errors`.

    Attributes:
        deadline: The longest duration of a single call of `push` in seconds, even if the network hangs.
    """

    deadline: float

    def check(self) -> None:
        """Open the bucket with the API token.

        Raises:
            IntegrationError: The error that an admin should see.
        """

    def create(self) -> None:
        """Create the bucket, on the request of an admin. Do nothing where the bucket exists."""

    def is_empty(self) -> bool:
        """Return whether the bucket has no comments."""

    def count(self) -> int | None:
        """Return how many comments the bucket has.

        Returns:
            The count of the server, which can lag behind; None where the server returns no count.
        """

    def push(self, comments: Sequence[Comment]) -> Receipt:
        """Create or overwrite comments. A second push of the same comments changes nothing.

        Args:
            comments: The comments to push.

        Returns:
            The outcome of every comment: accepted, permanently rejected, or in doubt because the counts in the
            response do not account for it.

        Raises:
            IntegrationError: The outcome of at least one comment is unknown. Each comment may or may not be stored.
        """

    def stored(self, ids: Sequence[CommentId]) -> Mapping[CommentId, Comment]:
        """Return comments as the bucket stores them.

        Args:
            ids: The ids of the comments to read.

        Returns:
            The comments that the bucket has, by id.
        """

    def close(self) -> None:
        """Close the connections of the adapter."""

    def __enter__(self) -> Self:
        """Return the port itself."""

    def __exit__(self, *exc: object) -> None:
        """Close the port."""
