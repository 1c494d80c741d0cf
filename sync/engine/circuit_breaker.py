"""The breaker of our own: when almost every email is refused, the fault is hardly theirs, and nothing more is set aside.

After a bad upgrade each comment would be refused and each email set aside, for all mailboxes and within minutes. So the
last outcomes of each bucket are remembered, and past a bound the bucket stops: no checkpoint moves, nothing is set aside,
until a probe passes or an admin says that these emails are really at fault. Pure.
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
    """`window`: the last outcomes of the bucket, oldest first, at most a hundred."""

    window: str = ""
    pardoned: bool = False
    """An admin looked at the refused emails and said: set them aside."""

    def note(self, outcomes: str, *, alone: bool = True) -> None:
        """Add these outcomes. Raises `TooManyRefused` before what was refused among them is set aside.

        `alone`: in the order in which they came. Else others of the same batch, whose outcome is not known yet, stood between
        them, and so many refused in a row say nothing.
        """
        self.window = (self.window + outcomes)[-LAST:]
        if REFUSED in outcomes and not self.pardoned and self._is_too_much(alone):
            raise TooManyRefused(f"{self.window.count(REFUSED)} of the last {len(self.window)} emails")

    def _is_too_much(self, alone: bool) -> bool:
        in_a_row = alone and self.window.endswith(REFUSED * IN_A_ROW)
        return in_a_row or (len(self.window) == LAST and self.window.count(REFUSED) >= SHARE * LAST)
