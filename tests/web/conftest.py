"""A client that is logged in, and one that is not."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import AdminFactory


@pytest.fixture
def admin(db: None) -> Client:
    """The browser of somebody who is logged in."""
    client = Client()
    client.force_login(AdminFactory())
    return client


@pytest.fixture
def stranger(db: None) -> Client:
    return Client()
