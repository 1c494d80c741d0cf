"""The kind of server from which seeds read mail: FAULT_SOURCE is ews or graph. Without it, each seed runs with both."""

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
    """The databases for the workers of a module, which get the environment variables `SETTINGS` of the module."""
    made = Databases(tmp_path_factory.mktemp("databases"), {**os.environ, **request.module.SETTINGS})
    yield made
    made.drop()


@pytest.fixture
def stage(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Iterator[Workers]:
    """Workers and a mailbox that contains the emails `NAMES` of the module."""
    module = request.module
    with workers(databases, tmp_path, "desk@bank.example", module.NAMES, **module.SETTINGS) as started:
        yield started
