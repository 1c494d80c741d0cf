"""The sink of comments at Re:infer: a bucket is a source there, and comments go to its `sync`.

It keeps the promises of `integrations.ports.Sink` over HTTP; what it knows of the product on the other side is in the
modules beside it, each with one part of it.
"""

from __future__ import annotations

import asyncio
import json
import math
import ssl
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Self, TypeVar

from integrations.errors import (
    BucketNameWrong,
    BucketNotFound,
    ProjectNotFound,
    Refused,
    ReinferFailed,
    ReinferUnintelligible,
)
from integrations.messages import Comment, CommentId, Receipt
from integrations.reinfer.answers import payload
from integrations.reinfer.batching import BATCH_BYTES, BATCH_COUNT, EncodedComment, batches, request_body
from integrations.reinfer.channel import Channel
from integrations.reinfer.endpoint import Endpoint
from integrations.reinfer.halving import Halving
from integrations.reinfer.names import problem_with_bucket
from integrations.reinfer.payload import read_comment

T = TypeVar("T")

_TITLE_CHARS = 128
_ASKED_WITHIN_A_DEADLINE = 128
_EVERYTHING = b'{"comment_filter":{}}'


class ReinferSink:
    """One bucket of one Re:infer tenant. Holds connections open between calls; belongs to one thread."""

    def __init__(
        self,
        endpoint: str,
        token: str,
        project: str,
        name: str,
        *,
        deadline: float = 30.0,
        batch_count: int = BATCH_COUNT,
        batch_bytes: int = BATCH_BYTES,
        user_agent: str = "reinfer-exchange",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is sent yet. `deadline`: seconds after which any call has ended; `stored` has as many for
        each 128 ids.

        `tls`: what to trust instead of the usual authorities. Raises `ReinferEndpointWrong`, `BucketNameWrong` and
        `ReinferTokenRefused` for what cannot be right whatever Re:infer says.
        """
        problem = problem_with_bucket(project, name)
        if problem:
            raise BucketNameWrong(problem)
        self.deadline = deadline
        self._endpoint = Endpoint.parse(endpoint)
        self._project = project
        self._name = name
        self._batch_count = batch_count
        self._batch_bytes = batch_bytes
        self._channel = Channel(token, deadline=deadline, user_agent=user_agent, tls=tls)

    def __repr__(self) -> str:
        return f"ReinferSink({self._endpoint.base}, {self._project}/{self._name})"

    def check(self) -> None:
        """Ask for the bucket by this token. Whether the token may also write to it, only a push can tell."""
        self._channel.run(self._look)

    def create(self) -> None:
        """Create the bucket unless it exists, with its name as its title. Raises `ProjectNotFound`."""
        self._channel.run(self._create)

    def is_empty(self) -> bool:
        """Whether the bucket holds no comment at all, as far as can be seen: what cannot be seen counts as full."""
        return self._channel.run(self._is_empty)

    def count(self) -> int | None:
        """How many comments the bucket holds, by its own statistics, which may lag behind. None when they do not say."""
        found = self._channel.run(self._count)
        return int(found) if found is not None and found >= 0 else None

    def push(self, comments: Sequence[Comment]) -> Receipt:
        """Create or overwrite these comments in their order, in as many requests as the bounds ask for.

        All of them together end by the deadline. A comment refused for what it is becomes a rejection, and the others
        are delivered.
        """

        async def push() -> Receipt:
            halving = Halving(self._sync)
            for batch in batches(comments, most=self._batch_count, most_bytes=self._batch_bytes):
                await halving.deliver(batch)
            return halving.receipt()

        return self._channel.run(push)

    def stored(self, ids: Sequence[CommentId]) -> Mapping[CommentId, Comment]:
        """Those of these comments that the bucket holds, with nothing in them that only Re:infer writes."""
        held: dict[CommentId, Comment] = {}
        for start in range(0, len(ids), _ASKED_WITHIN_A_DEADLINE):
            found = self._channel.run(partial(self._ask, ids[start : start + _ASKED_WITHIN_A_DEADLINE]))
            held |= {comment.id: comment for comment in found}
        return held

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---- one request each -----------------------------------------------------------------------------------------

    async def _look(self) -> None:
        payload(await self._channel.exchange("GET", self._url()))

    async def _sync(self, batch: Sequence[EncodedComment]) -> Mapping[str, Any]:
        answer = await self._channel.exchange("POST", self._url("sync"), request_body(batch))
        return payload(answer, may_quote_mail=True)

    async def _comment(self, comment_id: CommentId) -> Comment | None:
        """The stored comment, or None if there is none; raises `BucketNotFound` as well when there is none."""
        answer = await self._channel.exchange("GET", self._url("comments", comment_id))
        stored = payload(answer).get("comment")
        try:
            comment = read_comment(stored if isinstance(stored, dict) else {})
        except ValueError as error:
            raise ReinferUnintelligible("a stored comment without an id or a time") from error
        if comment.id != comment_id:
            raise ReinferUnintelligible("another comment than the one asked for")
        return comment

    async def _count(self) -> float | None:
        envelope = payload(await self._channel.exchange("POST", self._url("statistics"), _EVERYTHING))
        statistics = envelope.get("statistics")
        count = statistics.get("num_comments") if isinstance(statistics, dict) else None
        return count if isinstance(count, int | float) and math.isfinite(count) else None

    async def _first_page(self) -> object:
        url = self._endpoint.url("api", "_private", "sources", self._project, self._name, "comments")
        return payload(await self._channel.exchange("GET", f"{url}?limit=1")).get("comments")

    def _url(self, *segments: str) -> str:
        return self._endpoint.url("api", "v1", "sources", self._project, self._name, *segments)

    # ---- what takes several ---------------------------------------------------------------------------------------

    async def _ask(self, ids: Sequence[CommentId]) -> list[Comment]:
        answers = await _together([self._comment_or_none(comment_id) for comment_id in ids])
        if None in answers:
            # "Not found" is said of a comment and of a bucket alike.
            await self._look()
        return [comment for comment in answers if comment is not None]

    async def _comment_or_none(self, comment_id: CommentId) -> Comment | None:
        try:
            return await self._comment(comment_id)
        except BucketNotFound:
            return None

    async def _create(self) -> None:
        if await self._exists():
            return
        body = json.dumps({"source": {"title": self._name[:_TITLE_CHARS]}}).encode()
        try:
            payload(await self._channel.exchange("PUT", self._url(), body))
        except BucketNotFound as error:
            raise ProjectNotFound(error.detail) from error
        except ReinferFailed:
            # A conflict if somebody else created it at this moment, and then all is well.
            if not await self._exists():
                raise

    async def _exists(self) -> bool:
        try:
            await self._look()
        except BucketNotFound:
            return False
        return True

    async def _is_empty(self) -> bool:
        if await self._count() != 0:
            return False
        # Counts may lag behind what was just stored, so the comments themselves are asked for.
        try:
            return await self._first_page() == []
        except Refused:
            return False


async def _together(questions: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The answers to questions asked at the same time; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
