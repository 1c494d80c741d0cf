"""The sinks that the contract is tried on, each with what is needed to make trouble on its other side."""

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
    """A sink and the truth behind it."""

    sink: Sink
    tells_text_changes: bool

    def another(self, *, deadline: float = 15.0) -> Sink:
        """A second sink of the same bucket, as another worker has it."""

    def held(self) -> dict[CommentId, Comment]:
        """What the bucket holds, in the order of creation."""

    def billed(self) -> int: ...

    def text_changes(self) -> int: ...

    def refuse(self, comment_id: CommentId) -> None:
        """Let nothing in that holds this comment."""

    def fail_once(self) -> None:
        """Let the next push fail before the data is taken."""

    def tell_no_counts(self) -> None:
        """Let the answer to the next push be a success without counts."""

    def lose_first(self, comment_id: CommentId) -> None:
        """Let the next push, which begins with this comment, succeed without taking it, and count the others."""

    def hasty(self) -> Sink:
        """A sink of the same bucket whose first push times out after the data was taken."""

    def translate(self, comment_id: CommentId, body: str) -> None: ...

    def remove_bucket(self) -> None: ...


class FakeRig:
    tells_text_changes = True

    def __init__(self) -> None:
        self.bucket = FakeBucket()
        self.sink = FakeSink(self.bucket)

    def another(self, *, deadline: float = 15.0) -> Sink:
        return FakeSink(self.bucket, deadline=deadline)

    def held(self) -> dict[CommentId, Comment]:
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

    def hasty(self) -> Sink:
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
        self.tells_text_changes = not old_deployment
        self.sink = self.another()

    def another(self, *, deadline: float = 15.0) -> ReinferSink:
        return ReinferSink(self.simulator.url, DEFAULT_TOKEN, *BUCKET, deadline=deadline)

    def held(self) -> dict[CommentId, Comment]:
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

    def hasty(self) -> Sink:
        self.simulator.faults.add("taken-then-hang", operation="sync", times=1)
        return self.another(deadline=1.0)

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
