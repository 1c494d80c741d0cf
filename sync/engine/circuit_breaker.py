"""The circuit breaker of a bucket: it opens when almost every comment is refused. Pure.

A bad upgrade may produce comments that Re:infer refuses. Without a circuit breaker, every email of all mailboxes would
become a dead letter within minutes. So the last outcomes of each bucket are stored, and the circuit breaker opens when
too many of them are refusals. While it is open, no checkpoint moves and no dead letter is added. It closes when a
half-open trial succeeds, or when an administrator decides that the refused emails are really at fault.
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
    """An administrator checked the refused emails and decided that they become dead letters."""

    def note(self, outcomes: str, *, alone: bool = True) -> None:
        """Add outcomes.

        Args:
            outcomes: `ACCEPTED` and `REFUSED` signs, oldest first.
            alone: The outcomes follow each other directly. If false, emails of the same batch with unknown outcomes are
                between them, so refusals in a row do not count.

        Raises:
            TooManyRefused: The circuit breaker has to open. Raised before the refused emails become dead letters.
        """
        self.window = (self.window + outcomes)[-LAST:]
        if REFUSED in outcomes and not self.pardoned and self._is_too_much(alone):
            raise TooManyRefused(f"{self.window.count(REFUSED)} of the last {len(self.window)} emails")

    def _is_too_much(self, alone: bool) -> bool:
        in_a_row = alone and self.window.endswith(REFUSED * IN_A_ROW)
        return in_a_row or (len(self.window) == LAST and self.window.count(REFUSED) >= SHARE * LAST)
