"""Test clients: `admin` is logged in as a superuser, `anonymous` is not logged in."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import AdminFactory


@pytest.fixture
def admin(db: None) -> Client:
    """Return a client that is logged in as a superuser."""
    client = Client()
    client.force_login(AdminFactory())
    return client


@pytest.fixture
def anonymous(db: None) -> Client:
    return Client()
