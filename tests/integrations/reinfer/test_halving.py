"""Batches of comments. A refused batch is halved until the refused comment is found."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrations.errors import QuotaReached, ReinferFailed
from integrations.messages import Comment
from integrations.reinfer.batching import EncodedComment, batches, request_body
from integrations.reinfer.halving import Halving
from integrations.reinfer.payload import comment_json
from integrations.reinfer.responses import ContentRefused
from tests.integrations.reinfer.comments import comment


@dataclass
class Server:
    """A server that stores all comments of a batch or refuses the whole batch."""

    bad: frozenset[str] = frozenset()
    most: int = 10_000
    message: str = "comments[0] is bad"
    answer: Mapping[str, Any] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    calls: int = 0

    async def send(self, batch: Sequence[EncodedComment]) -> Mapping[str, Any]:
        self.calls += 1
        ids = [packed.comment.id for packed in batch]
        if len(ids) > self.most:
            raise ContentRefused(413, "", with_message=False)
        if self.bad & set(ids):
            raise ContentRefused(422, self.message, with_message=False)
        self.accepted += ids
        return {"status": "ok", "new": len(ids), "updated": 0, "unchanged": 0, "updated_text_changed": 0, **self.answer}


def many(count: int) -> list[Comment]:
    return [comment(str(number)) for number in range(count)]


def deliver(server: Server, comments: Sequence[Comment], most: int = 128) -> Halving:
    halving = Halving(server.send)

    async def run() -> None:
        for batch in batches(comments, most=most):
            await halving.deliver(batch)

    asyncio.run(run())
    return halving


def test_a_batch_is_bounded_by_count() -> None:
    assert [len(batch) for batch in batches(many(300))] == [128, 128, 44]


def test_a_batch_is_bounded_by_bytes_and_a_large_comment_is_sent_alone() -> None:
    one = len(comment_json(comment("0")))
    comments = [comment("0"), comment("1"), comment("2", body="x" * 10 * one), comment("3"), comment("4")]
    assert [len(batch) for batch in batches(comments, most_bytes=2 * one)] == [2, 1, 2]


def test_no_comments_are_no_batches() -> None:
    assert list(batches([])) == []


def test_a_request_body_contains_the_comments_in_order() -> None:
    (batch,) = batches(many(3))
    assert [item["id"] for item in json.loads(request_body(batch))["comments"]] == [one.id for one in many(3)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 128])
@pytest.mark.parametrize("position", [0.0, 0.4, 0.99])
def test_one_refused_comment_is_found_with_few_calls_and_the_others_are_delivered_in_order(
    size: int, position: float
) -> None:
    comments = many(size)
    refused = comments[int(position * size)]
    server = Server(bad=frozenset({refused.id}))
    receipt = deliver(server, comments).receipt()
    assert [rejection.comment_id for rejection in receipt.rejections] == [refused.id]
    assert server.accepted == [one.id for one in comments if one is not refused]
    assert server.calls <= 1 + 2 * math.ceil(math.log2(size))
    assert receipt.created == size - 1


def test_if_all_comments_are_refused_each_becomes_a_rejection() -> None:
    comments = many(9)
    server = Server(bad=frozenset(one.id for one in comments))
    receipt = deliver(server, comments).receipt()
    assert [rejection.comment_id for rejection in receipt.rejections] == [one.id for one in comments]
    assert {rejection.reason for rejection in receipt.rejections} == {"HTTP 422: comments[0] is bad"}


def test_a_batch_that_is_only_too_large_is_delivered_in_parts() -> None:
    server = Server(most=5)
    receipt = deliver(server, many(128)).receipt()
    assert receipt.rejections == ()
    assert server.accepted == [one.id for one in many(128)]
    assert receipt.created == 128


def test_a_reached_quota_stops_the_delivery() -> None:
    comments = many(8)
    with pytest.raises(QuotaReached):
        deliver(Server(bad=frozenset({comments[0].id}), message="AI unit quota reached"), comments)


def test_a_refused_email_that_mentions_quotas_is_only_a_rejection() -> None:
    comments = [*many(3), comment("x", body="What is my quota for 2026?")]
    server = Server(bad=frozenset({comments[-1].id}), message="bad text: 'What is my quota for 2026?'")
    receipt = deliver(server, comments).receipt()
    assert [(one.comment_id, one.reason) for one in receipt.rejections] == [(comments[-1].id, "HTTP 422")]


def test_another_error_is_raised() -> None:
    class Broken(Server):
        async def send(self, batch: Sequence[EncodedComment]) -> Mapping[str, Any]:
            raise ReinferFailed("HTTP 500")

    with pytest.raises(ReinferFailed):
        deliver(Broken(), many(4))


@pytest.mark.parametrize("count", [None, "3", True, -1, 2.5])
def test_a_missing_or_invalid_count_is_unknown(count: object) -> None:
    receipt = deliver(Server(answer={"updated_text_changed": count}), many(2)).receipt()
    assert receipt.text_changed is None
    assert receipt.created == 2


def test_counts_of_several_batches_are_added() -> None:
    receipt = deliver(Server(), many(10), most=3).receipt()
    assert (receipt.created, receipt.updated, receipt.unchanged, receipt.text_changed) == (10, 0, 0, 0)


def test_only_the_request_whose_counts_do_not_add_up_is_in_doubt() -> None:
    class OmitsCounts(Server):
        async def send(self, batch: Sequence[EncodedComment]) -> Mapping[str, Any]:
            answer = await super().send(batch)
            return {"status": "ok"} if self.calls == 2 else answer

    comments = many(9)
    assert deliver(OmitsCounts(), comments, most=3).receipt().in_doubt == tuple(one.id for one in comments[3:6])
