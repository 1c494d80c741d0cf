"""A sink without a network: a bucket in memory that counts AI units and can be set to fail.

The fake passes the contract suite of the real sink (`tests/contract/test_sink.py`), so tests of the engine can use the fake
instead of Re:infer. Several sinks may share one `FakeBucket`, like several workers with one bucket.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from integrations.errors import BucketNotFound, IntegrationError
from integrations.messages import Comment, CommentId, Receipt, Rejection
from integrations.reinfer.payload import comment_json, read_comment


@dataclass(slots=True)
class FakeBucket:
    """The state of one bucket in Re:infer."""

    exists: bool = True
    down: IntegrationError | None = None
    """An error that all methods of the sink except `create` and `close` raise; None if they work."""
    comments: dict[CommentId, Comment] = field(default_factory=dict)
    """In the order of their creation."""
    writes: dict[CommentId, list[Comment]] = field(default_factory=dict)
    """Every stored write of each comment, in order."""
    billed: int = 0
    """AI units: one for a new comment, one for a text that changed."""
    text_changes: int = 0
    messages_changes: int = 0
    """Number of writes that changed anything inside `messages`. Re:infer drops the annotations of such a comment."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def take(self, comment: Comment) -> str:
        """Store a comment as Re:infer does. Return `created`, `updated`, `text_changed` or `unchanged`."""
        comment = read_comment(json.loads(comment_json(comment)))
        with self.lock:
            before = self.comments.get(comment.id)
            self.comments[comment.id] = comment
            self.writes.setdefault(comment.id, []).append(comment)
            text_changed = before is not None and _text(before) != _text(comment)
            self.billed += before is None or text_changed
            self.text_changes += text_changed
            self.messages_changes += before is not None and before.message != comment.message
        if before is None:
            return "created"
        return "text_changed" if text_changed else "unchanged" if before == comment else "updated"

    def translate(self, comment_id: CommentId, body: str) -> None:
        """Replace the text of a stored comment by a translation, as Re:infer may."""
        with self.lock:
            before = self.comments[comment_id]
            message = replace(before.message, body=body)
            self.comments[comment_id] = replace(before, message=message, translated=True)


@dataclass(slots=True)
class _Fault:
    error: BaseException
    after_taking: bool


class FakeSink:
    """The sink of one worker for a `FakeBucket`."""

    def __init__(self, bucket: FakeBucket | None = None, *, deadline: float = 30.0) -> None:
        self.bucket = bucket or FakeBucket()
        self.deadline = deadline
        self.pushes: list[tuple[CommentId, ...]] = []
        """The ids of each push, including failed ones."""
        self.questions: list[tuple[CommentId, ...]] = []
        """The ids of each call of `stored`."""
        self.closed = False
        self.before_push: Callable[[Sequence[Comment]], object] | None = None
        """Called at the start of each push. A test can use it to wait, to raise an error or to run another worker."""
        self._refused: dict[CommentId, str] = {}
        self._faults: list[_Fault] = []
        self._poison: dict[CommentId, IntegrationError] = {}
        self._uncounted = 0
        self._lost: dict[CommentId, int] = {}

    # ---- values for assertions --------------------------------------------------------------------------------------

    @property
    def comments(self) -> Mapping[CommentId, Comment]:
        return self.bucket.comments

    @property
    def billed(self) -> int:
        return self.bucket.billed

    @property
    def text_changes(self) -> int:
        return self.bucket.text_changes

    # ---- faults -----------------------------------------------------------------------------------------------------

    def fail(self, error: BaseException, *, after_taking: bool = False, times: int = 1) -> None:
        """Raise this error from the next pushes, before or after the comments are stored."""
        self._faults += [_Fault(error, after_taking)] * times

    def refuse(self, comment_id: CommentId, reason: str = "HTTP 422") -> None:
        """Reject this comment in each push."""
        self._refused[comment_id] = reason

    def poison(self, comment_id: CommentId, error: IntegrationError) -> None:
        """Raise this error from each push with the comment, like a server that fails because of the comment."""
        self._poison[comment_id] = error

    def tell_no_counts(self, times: int = 1) -> None:
        """Return no counts from the next pushes, although they succeed."""
        self._uncounted += times

    def lose(self, comment_id: CommentId, times: int = 1) -> None:
        """Do not store this comment in its next pushes. The counts of these pushes include only the other comments."""
        self._lost[comment_id] = times

    def forgive(self, comment_id: CommentId) -> None:
        """Undo `refuse` and `poison`."""
        self._refused.pop(comment_id, None)
        self._poison.pop(comment_id, None)

    # ---- the port ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        if self.bucket.down is not None:
            raise self.bucket.down
        if not self.bucket.exists:
            raise BucketNotFound("HTTP 404")

    def create(self) -> None:
        self.bucket.exists = True

    def count(self) -> int | None:
        self.check()
        return len(self.bucket.comments)

    def is_empty(self) -> bool:
        self.check()
        return not self.bucket.comments

    def push(self, comments: Sequence[Comment]) -> Receipt:
        self.pushes.append(tuple(comment.id for comment in comments))
        if self.before_push:
            self.before_push(comments)
        fault = self._faults.pop(0) if self._faults else None
        if fault and not fault.after_taking:
            raise fault.error
        self.check()
        for comment in comments:
            if comment.id in self._poison:
                raise self._poison[comment.id]
        lost = [comment.id for comment in comments if self._is_lost(comment.id)]
        outcomes = [self.bucket.take(comment) for comment in comments if comment.id not in {*self._refused, *lost}]
        if fault:
            raise fault.error
        rejections = tuple(
            Rejection(comment.id, self._refused[comment.id]) for comment in comments if comment.id in self._refused
        )
        in_doubt = tuple(comment.id for comment in comments if comment.id not in self._refused)
        if self._uncounted > 0:
            self._uncounted -= 1
            return Receipt(rejections=rejections, in_doubt=in_doubt)
        return Receipt(
            rejections=rejections,
            in_doubt=in_doubt if lost else (),
            created=outcomes.count("created"),
            updated=outcomes.count("updated") + outcomes.count("text_changed"),
            unchanged=outcomes.count("unchanged"),
            text_changed=outcomes.count("text_changed"),
        )

    def stored(self, ids: Sequence[CommentId]) -> Mapping[CommentId, Comment]:
        self.questions.append(tuple(ids))
        self.check()
        return {
            comment_id: self.bucket.comments[comment_id] for comment_id in ids if comment_id in self.bucket.comments
        }

    def _is_lost(self, comment_id: CommentId) -> bool:
        remaining = self._lost.get(comment_id, 0)
        self._lost[comment_id] = remaining - 1
        return remaining > 0

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _text(comment: Comment) -> tuple[str, str, str]:
    message = comment.message
    return message.subject, message.body, message.signature
