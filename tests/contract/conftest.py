"""The rigs of sources, over one simulated Exchange for the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.source_rigs import NAMES, Rig, Rigs, rigs


@pytest.fixture(scope="session")
def made() -> Iterator[Rigs]:
    with rigs() as made:
        yield made


@pytest.fixture(params=NAMES)
def rig(request: pytest.FixtureRequest, made: Rigs) -> Iterator[Rig]:
    yield made.rig(request.param)
    made.exchange.faults.clear()
    made.graph.faults.clear()
