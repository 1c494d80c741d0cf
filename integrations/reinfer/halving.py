"""Finding what a refused batch is refused for: halve it until the offender stands alone, and deliver the rest.

Re:infer refuses a batch as a whole and need not say whose fault it is. One offender among n costs at most 2 log2(n)
requests more, and the same rule serves a batch that is only too large.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.errors import QuotaReached
from integrations.messages import CommentId, Receipt, Rejection
from integrations.reinfer.answers import ContentRefused
from integrations.reinfer.batching import EncodedComment
from integrations.reinfer.counting import accounts_for, count
from integrations.reinfer.refusal import is_about_quota, reason

Send = Callable[[Sequence[EncodedComment]], Awaitable[Mapping[str, Any]]]
"""Sends one batch and returns the envelope of the answer; raises `ContentRefused` when it is not taken."""

_COUNTS = {"created": "new", "updated": "updated", "unchanged": "unchanged", "text_changed": "updated_text_changed"}


@dataclass(slots=True)
class Halving:
    """Delivers batches and adds up what came of them."""

    send: Send
    _rejections: list[Rejection] = field(default_factory=list)
    _answers: list[Mapping[str, Any]] = field(default_factory=list)
    _in_doubt: list[CommentId] = field(default_factory=list)

    async def deliver(self, batch: Sequence[EncodedComment]) -> None:
        """Send a batch, in its order; what is refused alone becomes a rejection. Raises whatever else `send` raises."""
        waiting = [batch]
        while waiting:
            part = waiting.pop()
            try:
                self._take(await self.send(part), part)
            except ContentRefused as refused:
                if is_about_quota(refused, [packed.comment for packed in part]):
                    raise QuotaReached(f"HTTP {refused.status}") from refused
                if len(part) == 1:
                    comment = part[0].comment
                    self._rejections.append(Rejection(comment.id, reason(refused, comment)))
                else:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]

    def receipt(self) -> Receipt:
        """What was acknowledged and refused so far. A count is None as soon as one answer does not tell it."""
        counts = {ours: self._sum(theirs) for ours, theirs in _COUNTS.items()}
        return Receipt(rejections=tuple(self._rejections), in_doubt=tuple(self._in_doubt), **counts)

    def _take(self, answer: Mapping[str, Any], part: Sequence[EncodedComment]) -> None:
        self._answers.append(answer)
        if not accounts_for(answer, len(part)):
            self._in_doubt += [packed.comment.id for packed in part]

    def _sum(self, name: str) -> int | None:
        told = [count(answer, name) for answer in self._answers]
        whole = [number for number in told if number is not None]
        return sum(whole) if len(whole) == len(told) else None
