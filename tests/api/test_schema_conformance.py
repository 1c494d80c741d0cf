"""Requests made from the schema, as each role: no fault of ours, no answer that the schema does not tell."""

from __future__ import annotations

import os

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
"""For each operation and role, beside those that look for each edge of the schema. Without it a few only, to be quick."""
NETWORK = ("/check", "/estimate", "/create", "/preview", "/try", "/available-buckets")
"""What asks Exchange or Re:infer is tested where there is one."""

config = schemathesis.Config.from_dict(
    # 409 and 422: a request that is right by its shape, and not possible as things stand.
    {
        "phases": {"coverage": {"enabled": EXAMPLES > 0}},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422]}},
    }
)
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True), config=config)
schema.app = application


@pytest.fixture
def rows(db):
    """Something behind the first numbers, so that not every request ends at 404."""
    # A request by WSGI closes the connections of its thread at its end, and with it the transaction of the test.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    _made()
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def token(role, rows):
    """Made once for all requests of a test."""
    credentials = client_of(role)._credentials
    return {"Authorization": credentials["HTTP_AUTHORIZATION"]} if credentials else {}


def _made():
    factories.SetAsideEmailFactory()
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
def test_every_answer_is_one_that_the_schema_tells(case, role, rows, token):
    cache.clear()  # so that the bound of requests a minute hides nothing
    if case.meta.generation.mode.is_positive:
        case.query.pop(
            "cursor", None
        )  # no schema can tell a cursor that there is; test_lists.py has those that there are not
    case.call_and_validate(headers={**(case.headers or {}), **token})
