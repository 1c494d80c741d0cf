"""Fixtures: the server from which seeds read mail, databases, and the servers for real workers.

A seed is a random simulation (`tests.faults.seed`). FAULT_SOURCE selects the server, `ews` or `graph`. Without
this variable, each seed runs with both servers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.databases import Databases
from tests.faults.ends import End, serving
from tests.faults.workers import Workers, workers

SOURCES = os.environ.get("FAULT_SOURCE", "ews graph").split()


@pytest.fixture(scope="session", params=SOURCES)
def end(request: pytest.FixtureRequest) -> Iterator[End]:
    with serving(request.param) as started:
        yield started


@pytest.fixture(scope="module")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Databases for the workers of a test module, migrated with the environment variables in `SETTINGS` of this module."""
    made = Databases(tmp_path_factory.mktemp("databases"), {**os.environ, **request.module.SETTINGS})
    yield made
    made.drop()


@pytest.fixture
def stage(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Iterator[Workers]:
    """The servers for real workers, and a mailbox with the emails `NAMES` of the module. The test starts the workers."""
    module = request.module
    with workers(databases, tmp_path, "desk@bank.example", module.NAMES, **module.SETTINGS) as started:
        yield started
