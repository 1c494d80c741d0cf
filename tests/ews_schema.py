"""Every answer of the simulated Exchange against Microsoft's schema of EWS, while any test runs: EWS_SCHEMA names a folder with
its `messages.xsd` and `types.xsd`, which are not part of this project. Without it nothing is checked.

What a scripted fault makes unreadable on purpose is left out.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

FOLDER = os.environ.get("EWS_SCHEMA", "")
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
UNDECLARED = {"ArchiveItem"}
"""What the published schema has no answer for, though the documentation of the operation has."""
SPOILING = {"broken-base64", "unknown-element", "control-character"}


class Checker:
    """Collects what does not fit, and fails the test that it happened in."""

    def __init__(self, folder: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(str(folder / "messages.xsd")))
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self._found: list[str] = []

    def check(self, operation: str, envelope: bytes) -> None:
        wrong = self._wrong(envelope)
        with self._lock:
            self.counts[operation] += 1
            self._found += [f"{operation}: {text}" for text in wrong]

    def _wrong(self, envelope: bytes) -> list[str]:
        try:
            root = etree.fromstring(envelope, etree.XMLParser(huge_tree=True))
        except etree.XMLSyntaxError as error:
            return [f"no XML: {error}"]
        payload = next(root.find(f"{SOAP}Body").iterchildren("*"))
        if payload.tag == f"{SOAP}Fault":
            return []
        with self._lock:
            valid = self._schema.validate(etree.fromstring(etree.tostring(payload), etree.XMLParser(huge_tree=True)))
            return [] if valid else [str(error.message) for error in self._schema.error_log][:5]

    def taken(self) -> list[str]:
        """What was found since the last time."""
        with self._lock:
            found, self._found = self._found, []
        return found


def install() -> Checker:
    """Look at every answer before a fault spoils its delivery."""
    from simulators.exchange import effects, server

    checker = Checker(Path(FOLDER))
    answered, before = server._answered, effects.before

    def checked(desk: Any, call: Any) -> Any:
        response = answered(desk, call)
        spoilt = any(rule.options.get("code") in SPOILING for rule in desk.faults.standing("item"))
        if not spoilt and call.operation not in UNDECLARED:
            checker.check(call.operation, response.body)
        return response

    def checked_before(rule: Any, operation: str, version: str) -> Any:
        response = before(rule, operation, version)
        if response is not None and response.content_type == effects.XML:
            checker.check(f"{operation} ({rule.effect})", response.body)
        return response

    server._answered, effects.before = checked, checked_before
    return checker


class Plugin:
    """The hooks of pytest."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        yield
        self._fail()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        yield
        self._fail()

    def _fail(self) -> None:
        if found := self._checker.taken():
            text = "\n".join(dict.fromkeys(found))
            pytest.fail(f"{len(found)} answers of the simulated Exchange do not fit the schema:\n{text}", pytrace=False)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        told = ", ".join(f"{operation} {count}" for operation, count in sorted(self._checker.counts.items()))
        terminalreporter.write_line(f"EWS schema: {self._checker.counts.total()} answers checked ({told})")
