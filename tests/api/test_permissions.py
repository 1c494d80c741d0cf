"""Permissions of the API: every URL is requested with every method of its view as every role."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import get_resolver, reverse
from django.utils import timezone

from access.models import ApiToken
from access.table import ADMINISTER, OPERATE, READ_MAIL, VIEW
from tests import factories
from tests.api.conftest import EVERYBODY, client_of

MAY = {
    "nobody": set(),
    "Viewer": {VIEW},
    "Operator": {VIEW, OPERATE},
    "Administrator": {VIEW, OPERATE, ADMINISTER, READ_MAIL},
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LIBRARY_VIEWS = {"api-schema", "api-docs"}


def routes():
    """Return the URL patterns of the API, except those of drf-spectacular."""
    api: Any = get_resolver().url_patterns[4]
    return [pattern for pattern in api.url_patterns if pattern.name not in LIBRARY_VIEWS]


def address(pattern, rows):
    """Return a URL of this pattern, with names and primary keys that do not exist."""
    values = {
        "project": "nowhere",
        "name": "nothing",
        "hex_pk": "ff",
        "key": "ff",
        "rest": "sources",
        "folder": 999_999,
    }
    values["pk"] = rows["pk"](pattern.name)
    return reverse(pattern.name, kwargs={name: values[name] for name in pattern.pattern.regex.groupindex})


@pytest.fixture
def rows(db):
    return {"pk": lambda name: uuid.uuid4() if "token" in name else 999_999}


def test_every_view_declares_the_permission_of_each_of_its_methods():
    for pattern in routes():
        view = pattern.callback.cls
        served = {method for method in METHODS if hasattr(view, method.lower())}
        assert served == set(view.needs), pattern.name
        assert set(view.needs.values()) <= {VIEW, OPERATE, ADMINISTER, READ_MAIL}, pattern.name
    assert len(routes()) > 30


@pytest.mark.parametrize("role", EVERYBODY)
def test_each_role_may_do_what_the_table_says_and_nothing_else(rows, role):
    client = client_of(role)
    for pattern in routes():
        for method, needed in pattern.callback.cls.needs.items():
            answer = client.generic(method, address(pattern, rows), "{}", content_type="application/json")
            if role == "nobody":
                assert answer.status_code == 401, (pattern.name, method)
                assert answer["WWW-Authenticate"] == "Bearer"
            else:
                assert (answer.status_code == 403) is (needed not in MAY[role]), (pattern.name, method, answer.content)
            assert answer.status_code < 500


def test_the_schema_requires_authentication(db):
    assert client_of("nobody").get("/api/schema").status_code in (401, 403)
    assert client_of("Viewer").get("/api/schema").status_code == 200


def test_the_schema_is_valid_and_describes_the_errors_and_an_example_of_every_operation(db, capfd):
    from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    reset_generator_stats()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    assert schema["openapi"] == "3.1.0"
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert {"400", "401", "403", "404", "405", "406", "413", "415", "429"} <= set(operation["responses"]), (
                path,
                method,
            )
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert "examples" in content or content["schema"].get("format") == "binary", (path, method)


def test_a_revoked_token_is_rejected(api):
    made = api.post("/api/v1/tokens", {"name": "CI", "days": 1}, format="json").json()
    other = client_of("nobody")
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {made['token']}")
    assert other.get("/api/v1/overview").status_code == 200
    assert made["token"] not in api.get("/api/v1/tokens").content.decode()
    assert api.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert other.get("/api/v1/overview").status_code == 401


def test_an_expired_token_is_rejected_and_deleted_when_its_user_creates_another(api):
    made = api.post("/api/v1/tokens", {"name": "CI", "days": 1}, format="json").json()
    ApiToken.objects.filter(public_id=made["id"]).update(expiry=timezone.now())
    other = client_of("nobody")
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {made['token']}")
    assert other.get("/api/v1/overview").status_code == 401
    api.post("/api/v1/tokens", {"name": "CI"}, format="json")
    assert not ApiToken.objects.filter(public_id=made["id"]).exists()


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Bearer a b", "Bearer \xff\xfe", "Basic YTpi"])
def test_a_header_without_a_valid_token_is_rejected(db, header):
    client = client_of("nobody")
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get("/api/v1/overview")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_a_primary_key_of_a_mailbox_that_does_not_exist_is_not_found(api):
    mailbox = factories.MailboxFactory()
    for pk in (mailbox.pk + 1, 10**17, 0):
        assert api.get(f"/api/v1/mailboxes/{pk}").status_code == 404
