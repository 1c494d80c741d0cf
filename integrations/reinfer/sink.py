"""The sink for Re:infer: implements `integrations.ports.Sink` over HTTP.

A bucket is a *source* in the API of Re:infer, and comments are pushed to its `sync` endpoint. The other modules of this
package each implement one part of the protocol.
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
from integrations.reinfer.batching import BATCH_BYTES, BATCH_COUNT, EncodedComment, batches, request_body
from integrations.reinfer.channel import Channel
from integrations.reinfer.endpoint import Endpoint
from integrations.reinfer.halving import Halving
from integrations.reinfer.names import problem_with_bucket
from integrations.reinfer.payload import read_comment
from integrations.reinfer.responses import payload

T = TypeVar("T")

_TITLE_CHARS = 128
_IDS_PER_DEADLINE = 128
_EVERY_COMMENT = b'{"comment_filter":{}}'


class ReinferSink:
    """One bucket of one Re:infer tenant. Keeps connections open between calls. Not thread-safe.

    Attributes:
        deadline: Maximum duration of a call in seconds. `stored` reads 128 ids at a time, each time with this limit.
    """

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
        """Prepare the sink without a request.

        Args:
            endpoint: URL of the API endpoint.
            token: API token.
            project: Project of the bucket.
            name: Name of the bucket.
            deadline: Maximum duration of a call in seconds: see the attribute.
            batch_count: Maximum number of comments per request.
            batch_bytes: Maximum number of bytes of JSON per request, unless a single comment is larger.
            user_agent: Value of the `User-Agent` header.
            tls: TLS context with the trusted certificate authorities; None for `channel.usual_trust`.

        Raises:
            ReinferEndpointWrong: The URL cannot be an API endpoint.
            BucketNameWrong: No bucket of this name can exist.
            ReinferTokenRefused: The token is empty, or cannot be part of a header.
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
        """Request the bucket with the token. Only a push shows whether the token may also write to the bucket.

        Raises:
            BucketNotFound: The bucket does not exist, or the token may not see it.
            IntegrationError: The token is rejected, or the network fails.
        """
        self._channel.run(self._request_bucket)

    def create(self) -> None:
        """Create the bucket unless it exists. Its title consists of the first 128 characters of its name.

        Raises:
            ProjectNotFound: The project does not exist, or the token may not see it.
            IntegrationError: The token is rejected, or the network fails.
        """
        self._channel.run(self._create)

    def is_empty(self) -> bool:
        """Return whether the bucket contains no comment. False where Re:infer refuses the check or returns no count."""
        return self._channel.run(self._is_empty)

    def count(self) -> int | None:
        """Return the number of comments from the statistics of the bucket, which may be outdated. None if it is missing."""
        number = self._channel.run(self._count)
        return int(number) if number is not None and number >= 0 else None

    def push(self, comments: Sequence[Comment]) -> Receipt:
        """Create or overwrite comments, in their order, in as many requests as the limits of a batch require.

        All requests together take no longer than the deadline. A comment whose content is rejected becomes a rejection in the
        receipt, and the other comments are delivered.

        Args:
            comments: The comments.

        Returns:
            Counts, rejections, and the ids of comments that the counts do not cover.

        Raises:
            IntegrationError: Any other error. Each comment may or may not be stored.
        """

        async def push() -> Receipt:
            halving = Halving(self._sync)
            for batch in batches(comments, most=self._batch_count, most_bytes=self._batch_bytes):
                await halving.deliver(batch)
            return halving.receipt()

        return self._channel.run(push)

    def stored(self, ids: Sequence[CommentId]) -> Mapping[CommentId, Comment]:
        """Return the comments of the bucket with these ids, without the keys that only Re:infer writes.

        Args:
            ids: Comment ids.

        Returns:
            Comments by id. The mapping does not contain an id for which the bucket has no comment.

        Raises:
            BucketNotFound: The bucket does not exist, or the token may not see it.
            IntegrationError: The token is rejected, or the network fails.
        """
        comments: dict[CommentId, Comment] = {}
        for start in range(0, len(ids), _IDS_PER_DEADLINE):
            part = self._channel.run(partial(self._request_comments, ids[start : start + _IDS_PER_DEADLINE]))
            comments |= {comment.id: comment for comment in part}
        return comments

    def close(self) -> None:
        """Close the connections."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---- single requests ------------------------------------------------------------------------------------------

    async def _request_bucket(self) -> None:
        payload(await self._channel.exchange("GET", self._url()))

    async def _sync(self, batch: Sequence[EncodedComment]) -> Mapping[str, Any]:
        response = await self._channel.exchange("POST", self._url("sync"), request_body(batch))
        return payload(response, may_quote_mail=True)

    async def _comment(self, comment_id: CommentId) -> Comment | None:
        """Return the stored comment. Raises `BucketNotFound` where the comment or the bucket does not exist."""
        response = await self._channel.exchange("GET", self._url("comments", comment_id))
        stored = payload(response).get("comment")
        try:
            comment = read_comment(stored if isinstance(stored, dict) else {})
        except ValueError as error:
            raise ReinferUnintelligible("the response has a comment without an id or a time") from error
        if comment.id != comment_id:
            raise ReinferUnintelligible("the response has another comment than the requested one")
        return comment

    async def _count(self) -> float | None:
        envelope = payload(await self._channel.exchange("POST", self._url("statistics"), _EVERY_COMMENT))
        statistics = envelope.get("statistics")
        count = statistics.get("num_comments") if isinstance(statistics, dict) else None
        return count if isinstance(count, int | float) and math.isfinite(count) else None

    async def _first_page(self) -> object:
        url = self._endpoint.url("api", "_private", "sources", self._project, self._name, "comments")
        return payload(await self._channel.exchange("GET", f"{url}?limit=1")).get("comments")

    def _url(self, *segments: str) -> str:
        return self._endpoint.url("api", "v1", "sources", self._project, self._name, *segments)

    # ---- several requests -----------------------------------------------------------------------------------------

    async def _request_comments(self, ids: Sequence[CommentId]) -> list[Comment]:
        results = await _concurrently([self._comment_or_none(comment_id) for comment_id in ids])
        if None in results:
            # Re:infer responds with "not found" for a missing comment and for a missing bucket.
            await self._request_bucket()
        return [comment for comment in results if comment is not None]

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
            # If another client created the bucket at the same moment, the conflict is no error.
            if not await self._exists():
                raise

    async def _exists(self) -> bool:
        try:
            await self._request_bucket()
        except BucketNotFound:
            return False
        return True

    async def _is_empty(self) -> bool:
        if await self._count() != 0:
            return False
        # The count may not include comments that were just stored, so the comments are requested as well.
        try:
            return await self._first_page() == []
        except Refused:
            return False


async def _concurrently(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of coroutines that run at the same time. The first failure cancels the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
