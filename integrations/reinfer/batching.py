"""Group comments into requests, bounded by count and by bytes of JSON. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from integrations.messages import Comment
from integrations.reinfer.payload import comment_json

BATCH_COUNT = 128
"""Maximum number of comments per request. Re:infer accepts up to 16,384; the vendor's own client sends 128."""
BATCH_BYTES = 4 * 1024 * 1024
"""Maximum number of bytes of JSON per request. A larger comment is sent alone."""


@dataclass(frozen=True, slots=True)
class EncodedComment:
    """A comment with its JSON, which is encoded once and shared by every request that contains the comment.

    Attributes:
        comment: The comment.
        json: The comment as a JSON object in UTF-8.
    """

    comment: Comment
    json: bytes = field(repr=False)


def batches(
    comments: Iterable[Comment], *, most: int = BATCH_COUNT, most_bytes: int = BATCH_BYTES
) -> Iterator[Sequence[EncodedComment]]:
    """Split comments into batches, in their order.

    Args:
        comments: The comments.
        most: Maximum number of comments per batch.
        most_bytes: Maximum number of bytes of JSON per batch. A larger comment is the only comment of its batch.

    Yields:
        Batches of at least one comment.
    """
    batch: list[EncodedComment] = []
    size = 0
    for comment in comments:
        encoded = EncodedComment(comment, comment_json(comment))
        if batch and (len(batch) >= most or size + len(encoded.json) > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded.json)
    if batch:
        yield batch


def request_body(batch: Sequence[EncodedComment]) -> bytes:
    """Return the body of `POST …/sync` for a batch.

    Args:
        batch: The comments.

    Returns:
        JSON in UTF-8.
    """
    return b'{"comments":[' + b",".join(encoded.json for encoded in batch) + b"]}"
