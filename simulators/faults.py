"""Scripted faults: rules that say which requests meet one, how often, and what then happens. Knows no protocol."""

from __future__ import annotations

import threading
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Rule:
    """What is to happen (`effect`, with its `options`) to which operation of which mailbox, and how often."""

    effect: str
    operation: str = "*"
    mailbox: str = "*"
    times: int | None = None
    """None: for ever."""
    after: int = 0
    """So many requests that match pass first."""
    options: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, operation: str, mailbox: str) -> bool:
        return self.operation in ("*", operation) and self.mailbox.casefold() in ("*", mailbox.casefold())

    def strikes(self) -> bool:
        """Count one matching request; whether it meets the fault."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Faults:
    """The rules in force. The first rule that strikes decides; safe to share between threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, effect: str, **rule: Any) -> Rule:
        """Add a rule: what is no field of `Rule` is an option of the effect."""
        known = {key: rule.pop(key) for key in ("operation", "mailbox", "times", "after") if key in rule}
        made = Rule(effect, **known, options=rule)
        with self._lock:
            self._rules.append(made)
        return made

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def struck(self, operation: str, mailbox: str, *, states: Container[str] = ()) -> Rule | None:
        """The rule that this request meets. Those of `states` are no events, and so hide none."""
        with self._lock:
            for rule in self._rules:
                if rule.effect not in states and rule.matches(operation, mailbox) and rule.strikes():
                    return rule
        return None

    def standing(self, effect: str) -> list[Rule]:
        """The rules of an effect that is no event but a state, such as an item that cannot be read."""
        with self._lock:
            return [rule for rule in self._rules if rule.effect == effect]

    def strikes(self, rule: Rule) -> bool:
        """Whether a request that met a standing rule is struck: `times` and `after` hold for these too."""
        with self._lock:
            return rule.strikes()
