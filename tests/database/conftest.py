import pytest

from tests.database.world import World


@pytest.fixture
def world(db):
    return World()
