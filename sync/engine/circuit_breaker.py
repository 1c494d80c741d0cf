"""The circuit breaker of a bucket: it opens when too many emails are refused, 10 in a row or 15 of the last 100. Pure.

An email counts as refused if Re:infer refuses its comment, or if it cannot be converted. A bad upgrade may cause the
refusal of many emails. Without a circuit breaker, all emails that are fetched would become dead letters within minutes.
So the last outcomes of each bucket are stored. While the circuit breaker is open, mailboxes of the bucket do not sync,
except as a half-open trial. So no checkpoint moves and no dead letter is added, except in a trial. The circuit breaker
closes when the bucket accepts a comment in a trial, or when an administrator decides that the refused emails are really
at fault.

When Re:infer refuses access to the bucket, the same circuit breaker opens: see `sync.engine.error_scope`.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrations.errors import TooManyRefused

IN_A_ROW = 10
LAST = 100
SHARE = 0.15
ACCEPTED, REFUSED = "+", "-"


@dataclass(slots=True)
class BreakerWindow:
    """The last outcomes of a bucket.

    Attributes:
        window: The outcomes, oldest first, at most 100.
    """

    window: str = ""
    pardoned: bool = False
    """Refusals do not open the circuit breaker: an administrator decided that refused emails become dead letters, or the
    emails are dead letters already."""

    def note(self, outcomes: str, *, alone: bool = True) -> None:
        """Add outcomes.

        Args:
            outcomes: `ACCEPTED` and `REFUSED` signs, oldest first.
            alone: The outcomes follow each other directly. If false, emails of the same batch whose outcomes are not
                known yet may be between them. Then 10 refusals in a row do not open the circuit breaker.

        Raises:
            TooManyRefused: The circuit breaker has to open. Raised before the refused emails become dead letters.
        """
        self.window = (self.window + outcomes)[-LAST:]
        if REFUSED in outcomes and not self.pardoned and self._is_too_much(alone):
            raise TooManyRefused(f"{self.window.count(REFUSED)} of the last {len(self.window)} emails")

    def _is_too_much(self, alone: bool) -> bool:
        in_a_row = alone and self.window.endswith(REFUSED * IN_A_ROW)
        return in_a_row or (len(self.window) == LAST and self.window.count(REFUSED) >= SHARE * LAST)
