"""Scripted faults of the Re:infer simulator: rules that select calls, each with an effect."""

from __future__ import annotations

import json
import threading
from typing import Any

from simulators.faults import Rule
from simulators.http import Request
from simulators.reinfer.effects import Effect, make_effect
from simulators.reinfer.routes import OPERATIONS, Call


class FaultScript:
    """Faults in the order in which they were added. The first fault that affects a call is applied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[tuple[Rule, str | None, Effect]] = []

    def add(
        self,
        effect: str,
        *,
        operation: str = "*",
        source: str = "*",
        comment_id: str | None = None,
        times: int | None = None,
        after: int = 0,
        **options: Any,
    ) -> None:
        """Add a fault. Raises `ValueError` or `TypeError` for an invalid argument.

        Args:
            effect: The name of the effect; see `effects`.
            operation: The operation that is affected; "*" for all.
            source: `project/name` of the source that is affected; "*" for all.
            comment_id: Only calls that contain or request this comment are affected.
            times: Maximum number of affected calls; None: no limit.
            after: Number of matching calls that the fault ignores before it affects a call.
            options: The options of the effect.
        """
        if operation not in ("*", *OPERATIONS):
            raise ValueError(f"operation must be * or one of {', '.join(OPERATIONS)}")
        _check_count("after", after)
        _check_count("times", 1 if times is None else times)
        rule = Rule(effect, operation, source, times, after, options)
        with self._lock:
            self._faults.append((rule, comment_id, make_effect(effect, options)))

    def refuse(self, comment_id: str, *, status: int = 422, message: str = "This comment is refused") -> None:
        """Make every `sync` with this comment fail completely, without a limit."""
        self.add("failure", operation="sync", comment_id=comment_id, status=status, message=message)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def described(self) -> list[dict[str, Any]]:
        """The active faults in the format of the control endpoint, with the remaining `times` and `after`."""
        with self._lock:
            return [_described(rule, comment_id) for rule, comment_id, _ in self._faults]

    def effect_on(self, call: Call, request: Request) -> Effect | None:
        """Count this call. Returns the effect on this call, or None."""
        source = "/".join(call.parts[:2])
        with self._lock:
            if not self._faults:
                return None
            ids = _comment_ids(call, request)
            for rule, comment_id, effect in self._faults:
                matches = rule.matches(call.operation, source) and (comment_id is None or comment_id in ids)
                if matches and rule.applies():
                    self._faults = [fault for fault in self._faults if fault[0].times != 0]
                    return effect
        return None


def _described(rule: Rule, comment_id: str | None) -> dict[str, Any]:
    limits = {"comment_id": comment_id, "times": rule.times}
    given = {key: value for key, value in limits.items() if value is not None}
    matched = {"effect": rule.effect, "operation": rule.operation, "source": rule.mailbox, "after": rule.after}
    return {**matched, **given, **rule.options}


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number, not below 0")


def _comment_ids(call: Call, request: Request) -> set[str]:
    if call.operation == "get-comment":
        return {call.parts[2]}
    if call.operation not in ("sync", "put-comments"):
        return set()
    try:
        return {comment["id"] for comment in json.loads(request.body)["comments"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
