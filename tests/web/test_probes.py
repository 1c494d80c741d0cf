"""The health check and, if METRICS_TOKEN is set, the metrics are answered over plain HTTP with any Host.

Pages require HTTPS and a known Host.
"""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from django.urls import get_resolver

from access.table import ACCESS

TOKEN = "a token that only the monitoring knows"


@pytest.fixture
def strict(settings, db):
    """The settings of a web process in production, which accepts only one host name, and only HTTPS."""
    settings.ALLOWED_HOSTS = ["mail.bank.example"]
    settings.SECURE_SSL_REDIRECT = settings.BEHIND_PROXY = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.METRICS_TOKEN = TOKEN
    return settings


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.2.3.4", "web", "a_name_that_no_url_may_have", ""])
def test_a_probe_is_answered_under_any_name_over_plain_http(strict, client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200
    values = {"host": host, "authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=values).status_code == 200
    assert client.get("/metrics", headers={"host": host}).status_code == 401


def test_pages_still_demand_their_host_and_https(strict, client):
    assert client.get("/login/", headers={"host": "evil.example"}).status_code == 400
    response = client.get("/login/", headers={"host": "mail.bank.example"})
    assert (response.status_code, response["Location"]) == (301, "https://mail.bank.example/login/")
    assert client.get("/healthz/", headers={"host": "evil.example"}).status_code == 400


def test_the_host_of_a_request_changes_nothing_in_the_answer_of_a_probe(strict, client):
    values = {"authorization": f"Bearer {TOKEN}", "x-forwarded-host": "evil.example"}
    for address in ("/healthz", "/metrics"):
        one, other = (client.get(address, headers={**values, "host": host}) for host in ("evil.example", "127.0.0.1"))
        assert b"evil.example" not in one.serialize()
        assert one.headers == other.headers
        assert not one.cookies
        assert one["X-Content-Type-Options"] == "nosniff"


def test_a_probe_is_read_only(strict, client):
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 200


def test_without_a_token_the_metrics_are_refused_for_an_unknown_host_name(client, db, settings):
    settings.ALLOWED_HOSTS = ["mail.bank.example"]
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000", "mail.bank.example"):
        assert client.get("/metrics", headers={"host": host}).status_code == 200, host
    for host in ("rebound.evil.example:8000", "localhost.evil.example", "10.2.3.4", "[::1", "a b"):
        assert client.get("/metrics", headers={"host": host}).status_code == 401, host


def test_the_health_check_fails_without_a_database_and_reveals_no_details(client, db):
    def away(*values):
        raise DatabaseError("connection to server at db.bank.example failed: password of reinfer")

    with connection.execute_wrapper(away):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (503, b"no database")


def test_the_health_check_and_the_metrics_are_the_only_probes():
    views = _named_views(get_resolver())
    assert {name for name, view in views if getattr(view, "is_probe", False)} == {"healthz", "metrics"}
    assert {ACCESS["healthz"], ACCESS["metrics"]} == {""}


def _named_views(resolver):
    for entry in resolver.url_patterns:
        if hasattr(entry, "url_patterns"):
            yield from _named_views(entry)
        else:
            yield entry.name, entry.callback
