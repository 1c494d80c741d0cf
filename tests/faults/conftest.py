"""The kind of server from which seeds read mail: FAULT_SOURCE is ews or graph. Without it, each seed runs with both."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.ends import End, serving

SOURCES = os.environ.get("FAULT_SOURCE", "ews graph").split()


@pytest.fixture(scope="session", params=SOURCES)
def end(request: pytest.FixtureRequest) -> Iterator[End]:
    with serving(request.param) as started:
        yield started
