"""Requests that schemathesis generates from the OpenAPI schema, as each role. Every response must match the schema."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings

from config.wsgi import application
from tests import factories
from tests.api.conftest import EVERYBODY, client_of

EXAMPLES = int(os.environ.get("API_EXAMPLES", "0"))
"""Number of random requests per operation and role. If the number is 0, three random requests are made, and the
edge cases of the schema are not tested."""
NETWORK = ("/check", "/estimate", "/create", "/preview", "/try", "/available-buckets")
"""Paths that contain one of these texts are excluded. All of their operations, except `/api/v1/preview`, send requests to
Exchange or Re:infer."""

config = schemathesis.Config.from_dict(
    # 409 and 422: a request that matches the schema can be impossible because of the stored state.
    {
        "phases": {"coverage": {"enabled": EXAMPLES > 0}},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422]}},
    }
)
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True), config=config)
schema.app = application


@pytest.fixture
def rows(db):
    """Some rows, so that not every response is 404."""
    # At the end of a WSGI request, Django closes the database connection. This would end the transaction of the test.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    _create_rows()
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def token(role, rows):
    """The header with a token, created once for all requests of a test."""
    client: Any = client_of(role)
    credentials = client._credentials
    return {"Authorization": credentials["HTTP_AUTHORIZATION"]} if credentials else {}


def _create_rows():
    factories.DeadLetterFactory()
    factories.MailboxStateFactory()
    factories.SyncRunFactory(outcome="failed")


@pytest.mark.parametrize("role", EVERYBODY)
@schema.exclude(path_regex="|".join(NETWORK)).parametrize()
@settings(
    max_examples=EXAMPLES or 3,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_response_matches_the_schema(case, role, rows, token):
    cache.clear()  # otherwise the rate limit would reject most requests
    if case.meta.generation.mode.is_positive:
        case.query.pop("cursor", None)  # the schema cannot describe valid cursors; test_lists.py tests invalid ones
    case.call_and_validate(headers={**(case.headers or {}), **token})
