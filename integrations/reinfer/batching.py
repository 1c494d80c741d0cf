"""How many comments share one request: bounded by count and by bytes, as they go over the wire. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from integrations.messages import Comment
from integrations.reinfer.payload import comment_json

BATCH_COUNT = 128
"""Re:infer takes up to 16,384; the vendor's own client sends 128."""
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EncodedComment:
    """A comment with its JSON, which is made once and shared by every request that carries it."""

    comment: Comment
    json: bytes = field(repr=False)


def batches(
    comments: Iterable[Comment], *, most: int = BATCH_COUNT, most_bytes: int = BATCH_BYTES
) -> Iterator[Sequence[EncodedComment]]:
    """Cut `comments` into requests, in their order; a comment that is larger than a request may be goes alone."""
    batch: list[EncodedComment] = []
    held = 0
    for comment in comments:
        packed = EncodedComment(comment, comment_json(comment))
        if batch and (len(batch) >= most or held + len(packed.json) > most_bytes):
            yield batch
            batch, held = [], 0
        batch.append(packed)
        held += len(packed.json)
    if batch:
        yield batch


def request_body(batch: Sequence[EncodedComment]) -> bytes:
    """The body of `POST …/sync`."""
    return b'{"comments":[' + b",".join(packed.json for packed in batch) + b"]}"
