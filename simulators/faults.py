"""Scripted faults, independent of a protocol: rules that select requests, and the effect on each selected request."""

from __future__ import annotations

import threading
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Rule:
    """An effect on the requests of one operation and mailbox. "*" matches every operation or mailbox."""

    effect: str
    operation: str = "*"
    mailbox: str = "*"
    times: int | None = None
    """The number of requests that the rule still affects; None: no limit."""
    after: int = 0
    """The number of matching requests that the rule still ignores before it affects a request."""
    options: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, operation: str, mailbox: str) -> bool:
        return self.operation in ("*", operation) and self.mailbox.casefold() in ("*", mailbox.casefold())

    def applies(self) -> bool:
        """Count one matching request. Returns whether the rule affects it."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Faults:
    """The active rules. The first rule that affects a request is applied. Thread-safe."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, effect: str, **rule: Any) -> Rule:
        """Add a rule. Keywords that are not fields of `Rule` become options of the effect."""
        known = {key: rule.pop(key) for key in ("operation", "mailbox", "times", "after") if key in rule}
        made = Rule(effect, **known, options=rule)
        with self._lock:
            self._rules.append(made)
        return made

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def matching_rule(self, operation: str, mailbox: str, *, states: Container[str] = ()) -> Rule | None:
        """The first rule that affects this request, or None. Skips rules with an effect in `states` (see `lasting_rules`)."""
        with self._lock:
            for rule in self._rules:
                if rule.effect not in states and rule.matches(operation, mailbox) and rule.applies():
                    return rule
        return None

    def lasting_rules(self, effect: str) -> list[Rule]:
        """The rules of an effect that is a lasting state, such as an item that cannot be read."""
        with self._lock:
            return [rule for rule in self._rules if rule.effect == effect]

    def applies(self, rule: Rule) -> bool:
        """Count one request that matches a rule of `lasting_rules`.

        Returns whether `times` and `after` let the rule affect this request.
        """
        with self._lock:
            return rule.applies()
