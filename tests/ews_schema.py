"""Validate every response of the simulated Exchange against Microsoft's EWS schema while tests run.

The environment variable EWS_SCHEMA enables the validation. Its value is a folder with `messages.xsd` and `types.xsd`, which are
not part of this project. SOAP faults, responses that a scripted fault corrupts on purpose, and responses of `UNDECLARED` are
not validated.
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
"""Operations that are documented, but whose response is not in the published schema."""
CORRUPTING = {"broken-base64", "unknown-element", "control-character"}
"""Codes of scripted faults that make a response invalid on purpose."""


class Checker:
    """Validates responses, and collects the errors."""

    def __init__(self, folder: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(str(folder / "messages.xsd")))
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self._errors: list[str] = []

    def check(self, operation: str, envelope: bytes) -> None:
        errors = self._validate(envelope)
        with self._lock:
            self.counts[operation] += 1
            self._errors += [f"{operation}: {text}" for text in errors]

    def _validate(self, envelope: bytes) -> list[str]:
        try:
            root = etree.fromstring(envelope, etree.XMLParser(huge_tree=True))
        except etree.XMLSyntaxError as error:
            return [f"no XML: {error}"]
        payload = next(root.find(f"{SOAP}Body").iterchildren("*"))
        if payload.tag == f"{SOAP}Fault":
            return []
        with self._lock:
            valid = self._schema.validate(etree.fromstring(etree.tostring(payload), etree.XMLParser(huge_tree=True)))
            log: Any = self._schema.error_log  # the stubs do not say that it can be iterated
            return [] if valid else [str(error.message) for error in log][:5]

    def take_errors(self) -> list[str]:
        """Return the errors since the last call."""
        with self._lock:
            errors, self._errors = self._errors, []
        return errors


def install() -> Checker:
    """Wrap the simulator, so that its responses are validated, including the responses of scripted faults."""
    from simulators.exchange import effects, server

    checker = Checker(Path(FOLDER))
    original_answered, original_before = server._answered, effects.before

    def checked_answer(handler: Any, call: Any) -> Any:
        response = original_answered(handler, call)
        is_corrupted = any(rule.options.get("code") in CORRUPTING for rule in handler.faults.lasting_rules("item"))
        if not is_corrupted and call.operation not in UNDECLARED:
            checker.check(call.operation, response.body)
        return response

    def checked_before(rule: Any, operation: str, version: str) -> Any:
        response = original_before(rule, operation, version)
        if response is not None and response.content_type == effects.XML:
            checker.check(f"{operation} ({rule.effect})", response.body)
        return response

    server._answered, effects.before = checked_answer, checked_before
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
        if errors := self._checker.take_errors():
            text = "\n".join(dict.fromkeys(errors))
            pytest.fail(f"{len(errors)} responses of the simulated Exchange violate the schema:\n{text}", pytrace=False)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        counts = ", ".join(f"{operation} {count}" for operation, count in sorted(self._checker.counts.items()))
        terminalreporter.write_line(f"EWS schema: {self._checker.counts.total()} responses checked ({counts})")
