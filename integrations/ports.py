"""The two ports of the engine: where mail comes from, and where comments go.

Each has an honest fake and at least one adapter, and all of them pass the same contract suite (`tests/contract`).
Both are context managers: leaving closes what the adapter holds open.
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
    """One mailbox of one integration. Every method raises the errors of `integrations.errors`, and no others."""

    def check(self) -> None:
        """Sign in and open the mailbox for reading; raises the error that an admin should see."""

    def folders(self, after: Cursor | None) -> FolderChanges:
        """Folders added, changed and gone since `after`; all of them when it is None.

        Raises `CursorRefused` when the server no longer knows the cursor.
        """

    def changes(self, folder: FolderId, after: Cursor | None) -> Iterator[ChangePage]:
        """Pages of what changed in one folder since `after`, each fetched when it is asked for; at least one page.

        The cursor of a page is known before any mail of it is fetched. Raises `CursorRefused`,
        `FolderGone`, and `FolderRefused` where this folder may not be read.
        """

    def fetch(self, changes: Sequence[Change]) -> Iterator[Fetched]:
        """The emails behind these changes, one outcome for each and in their order, within the time of one call.

        A fault of one item is its outcome and never loses its neighbours; a transient fault raises.
        """

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


@runtime_checkable
class Learner(Protocol):
    """A source that finds out something about its mailbox that spares the next source of it requests. Not every source does."""

    learned: str
    """For the source alone to read, at most 32 characters; blank for nothing. Set it before the source is asked anything."""


class Sink(Protocol):
    """One bucket of one destination. Every method raises the errors of `integrations.errors`, and no others."""

    deadline: float
    """Seconds after which any single call of `push` has ended, whatever the network does."""

    def check(self) -> None:
        """Reach the bucket with this token; raises the error that an admin should see."""

    def create(self) -> None:
        """Create the bucket, for an admin who asked for it. Nothing happens when it exists."""

    def is_empty(self) -> bool:
        """Whether the bucket holds no comment at all."""

    def count(self) -> int | None:
        """How many comments the bucket holds, as far as it counts: a count may lag behind. None when it does not say."""

    def push(self, comments: Sequence[Comment]) -> Receipt:
        """Create or overwrite these comments: idempotent by comment id.

        Returns only when all of them are answered: taken, refused for good, or in doubt because the counts of the answer do
        not account for them. Anything else raises, and then any of them may or may not have been taken.
        """

    def stored(self, ids: Sequence[CommentId]) -> Mapping[CommentId, Comment]:
        """Those of these comments that the bucket holds, as it holds them."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
