"""Fixtures with the rigs of sources (see `source_rigs`). All tests use the same simulators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.source_rigs import NAMES, Rig, Rigs, rigs


@pytest.fixture(scope="session")
def all_rigs() -> Iterator[Rigs]:
    with rigs() as all_rigs:
        yield all_rigs


@pytest.fixture(params=NAMES)
def rig(request: pytest.FixtureRequest, all_rigs: Rigs) -> Iterator[Rig]:
    yield all_rigs.rig(request.param)
    all_rigs.exchange.faults.clear()
    all_rigs.graph.faults.clear()
