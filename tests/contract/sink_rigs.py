"""The sinks that the contract suite tests. Each rig can cause faults of its sink."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from integrations.errors import ReinferFailed, ReinferTimedOut
from integrations.messages import Comment, CommentId
from integrations.ports import Sink
from integrations.reinfer.payload import read_comment
from integrations.reinfer.sink import ReinferSink
from simulators.reinfer import DEFAULT_PREFIX, DEFAULT_TOKEN, ReinferSimulator
from tests.fakes.sink import FakeBucket, FakeSink

BUCKET = ("acme", "mail")


class Rig(Protocol):
    """A sink and the real state of its bucket."""

    reports_text_changes: bool

    @property
    def sink(self) -> Sink: ...

    def second_sink(self, *, deadline: float = 15.0) -> Sink:
        """Return a second sink of the same bucket, as a second worker would open it."""

    def bucket_comments(self) -> dict[CommentId, Comment]:
        """Return the comments in the bucket, in the order of creation."""

    def billed(self) -> int: ...

    def text_changes(self) -> int: ...

    def refuse(self, comment_id: CommentId) -> None:
        """Make the server refuse every push that contains this comment."""

    def fail_once(self) -> None:
        """Make the next push fail before its comments are stored."""

    def tell_no_counts(self) -> None:
        """Make the next push succeed with an answer without counts."""

    def lose_first(self, comment_id: CommentId) -> None:
        """Make the next push succeed without storing its first comment, which must have this id.

        The counts of the push include only the other comments.
        """

    def sink_with_timeout(self) -> Sink:
        """Return a sink of the same bucket whose first push times out after its comments were stored."""

    def translate(self, comment_id: CommentId, body: str) -> None: ...

    def remove_bucket(self) -> None: ...


class FakeRig:
    reports_text_changes = True

    def __init__(self) -> None:
        self.bucket = FakeBucket()
        self.sink = FakeSink(self.bucket)

    def second_sink(self, *, deadline: float = 15.0) -> Sink:
        return FakeSink(self.bucket, deadline=deadline)

    def bucket_comments(self) -> dict[CommentId, Comment]:
        return dict(self.bucket.comments)

    def billed(self) -> int:
        return self.bucket.billed

    def text_changes(self) -> int:
        return self.bucket.text_changes

    def refuse(self, comment_id: CommentId) -> None:
        self.sink.refuse(comment_id)

    def fail_once(self) -> None:
        self.sink.fail(ReinferFailed("HTTP 500"))

    def tell_no_counts(self) -> None:
        self.sink.tell_no_counts()

    def lose_first(self, comment_id: CommentId) -> None:
        self.sink.lose(comment_id)

    def sink_with_timeout(self) -> Sink:
        sink = FakeSink(self.bucket)
        sink.fail(ReinferTimedOut(), after_taking=True)
        return sink

    def translate(self, comment_id: CommentId, body: str) -> None:
        self.bucket.translate(comment_id, body)

    def remove_bucket(self) -> None:
        self.bucket.exists = False


class SimulatorRig:
    def __init__(self, simulator: ReinferSimulator, *, old_deployment: bool) -> None:
        self.simulator = simulator
        self.reports_text_changes = not old_deployment
        self.sink = self.second_sink()

    def second_sink(self, *, deadline: float = 15.0) -> ReinferSink:
        return ReinferSink(self.simulator.url, DEFAULT_TOKEN, *BUCKET, deadline=deadline)

    def bucket_comments(self) -> dict[CommentId, Comment]:
        stored = self.simulator.sources[BUCKET].comments
        return {
            CommentId(one): read_comment(json.loads(json.dumps(stored[one].as_answer(include_markup=False))))
            for one in stored
        }

    def billed(self) -> int:
        return self.simulator.ai_units

    def text_changes(self) -> int:
        return self.simulator.sources[BUCKET].text_changes

    def refuse(self, comment_id: CommentId) -> None:
        self.simulator.faults.refuse(comment_id)

    def fail_once(self) -> None:
        self.simulator.faults.add("failure", operation="sync", times=1)

    def tell_no_counts(self) -> None:
        self.simulator.faults.add("uncounted", operation="sync", times=1)

    def lose_first(self, comment_id: CommentId) -> None:
        self.simulator.faults.add("loses-one", operation="sync", comment_id=comment_id, times=1)

    def sink_with_timeout(self) -> Sink:
        self.simulator.faults.add("taken-then-hang", operation="sync", times=1)
        return self.second_sink(deadline=1.0)

    def translate(self, comment_id: CommentId, body: str) -> None:
        self.simulator.store.translate(self.simulator.sources[BUCKET], comment_id, body, "en")

    def remove_bucket(self) -> None:
        self.simulator.store.remove(*BUCKET)


@contextmanager
def fake() -> Iterator[Rig]:
    yield FakeRig()


@contextmanager
def simulated(*, prefix: str = "", old_deployment: bool = False) -> Iterator[Rig]:
    with ReinferSimulator(sources=[BUCKET], prefix=prefix, old_deployment=old_deployment) as simulator:
        rig = SimulatorRig(simulator, old_deployment=old_deployment)
        with rig.sink:
            yield rig


RIGS = {
    "fake": fake,
    "reinfer": simulated,
    "reinfer under a path": lambda: simulated(prefix=DEFAULT_PREFIX),
    "an old reinfer": lambda: simulated(old_deployment=True),
}
