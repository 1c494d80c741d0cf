"""Find the comment for which a batch is rejected: halve the batch until the comment is alone, and deliver the others.

Re:infer rejects a batch as a whole and does not have to name the comment at fault. One rejected comment among n costs
at most 2 ceil(log2(n)) additional requests. The same algorithm handles a batch that is too large.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.errors import QuotaReached
from integrations.messages import CommentId, Receipt, Rejection
from integrations.reinfer.batching import EncodedComment
from integrations.reinfer.counting import accounts_for, count
from integrations.reinfer.rejection_reason import is_about_quota, reason
from integrations.reinfer.responses import ContentRefused

Send = Callable[[Sequence[EncodedComment]], Awaitable[Mapping[str, Any]]]
"""Sends one batch and returns the envelope of the response. Raises `ContentRefused` when the batch is rejected."""

_COUNTS = {"created": "new", "updated": "updated", "unchanged": "unchanged", "text_changed": "updated_text_changed"}
"""Fields of a receipt, each with the key of a count in the responses of Re:infer. The field is the sum
of this count over all responses."""


@dataclass(slots=True)
class Halving:
    """Delivers batches and adds up their outcomes.

    Attributes:
        send: Function that sends one batch.
    """

    send: Send
    _rejections: list[Rejection] = field(default_factory=list)
    _envelopes: list[Mapping[str, Any]] = field(default_factory=list)
    _in_doubt: list[CommentId] = field(default_factory=list)

    async def deliver(self, batch: Sequence[EncodedComment]) -> None:
        """Send a batch, in its order. If a request with a single comment is rejected, that comment becomes a rejection.

        Args:
            batch: Comments to deliver.

        Raises:
            QuotaReached: The batch is rejected because the quota of the tenant is used up.
            IntegrationError: Any other error of `send`.
        """
        waiting = [batch]
        while waiting:
            part = waiting.pop()
            try:
                self._record(await self.send(part), part)
            except ContentRefused as error:
                if is_about_quota(error, [encoded.comment for encoded in part]):
                    raise QuotaReached(f"HTTP {error.status}") from error
                if len(part) == 1:
                    comment = part[0].comment
                    self._rejections.append(Rejection(comment.id, reason(error, comment)))
                else:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]

    def receipt(self) -> Receipt:
        """Return the outcomes so far. A count is None if it is missing or invalid in one of the responses."""
        counts = {name: self._sum(remote_name) for name, remote_name in _COUNTS.items()}
        return Receipt(rejections=tuple(self._rejections), in_doubt=tuple(self._in_doubt), **counts)

    def _record(self, envelope: Mapping[str, Any], part: Sequence[EncodedComment]) -> None:
        self._envelopes.append(envelope)
        if not accounts_for(envelope, len(part)):
            self._in_doubt += [encoded.comment.id for encoded in part]

    def _sum(self, name: str) -> int | None:
        counts = [count(envelope, name) for envelope in self._envelopes]
        valid = [number for number in counts if number is not None]
        return sum(valid) if len(valid) == len(counts) else None
