import pytest

from tests.sync.world import World


@pytest.fixture
def world(db):
    return World()
