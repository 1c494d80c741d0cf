"""Fixtures of the API tests: a client of the API for each role, and a logged-in browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from access.models import ApiToken
from access.roles import ROLES, make_roles


@pytest.fixture(autouse=True)
def fresh_throttle() -> Any:
    cache.clear()


def client_of(role: str) -> APIClient:
    """Return a client with a token of a user with this role; for the role `nobody`, a client without a token."""
    make_roles()
    client = APIClient()
    if role != "nobody":
        user, _ = User.objects.get_or_create(username=role.lower())
        user.groups.set(Group.objects.filter(name=role))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(user, name='test')[1]}")
    return client


@pytest.fixture
def api(db: None) -> APIClient:
    """A client with the token of an administrator."""
    return client_of("Administrator")


@pytest.fixture
def admin(admin_client: Client) -> Client:
    """The browser of a superuser."""
    return admin_client


EVERYBODY = ("nobody", *ROLES)
"""All roles, and `nobody` for a request without a token."""
