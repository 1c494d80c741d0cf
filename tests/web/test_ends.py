"""The pages warn before EWS in Exchange Online ends, and before a certificate expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from sync.reporting.alerts import problems
from tests import factories
from tests.pems import certificate_pem, rsa_key

ONLINE = {"endpoint": "https://outlook.office365.com/EWS/Exchange.asmx", "auth": "oauth2", "client_id": "app-1"}
AUTUMN = datetime(2026, 11, 25, tzinfo=UTC)


def titles(now):
    return [(problem.title, str(problem.tone)) for problem in problems(now)]


def test_the_warning_about_the_end_of_ews_becomes_an_error(db):
    factories.IntegrationFactory(**ONLINE)
    assert titles(AUTUMN) == [("EWS ends soon", "warn")]
    assert titles(datetime(2027, 2, 1, tzinfo=UTC)) == [("EWS ends in 59 days", "warn")]
    assert titles(datetime(2027, 3, 20, tzinfo=UTC)) == [("EWS ends in 12 days", "bad")]
    assert titles(datetime(2027, 5, 1, tzinfo=UTC)) == [("EWS ended", "bad")]


def test_the_integration_and_the_overview_say_what_to_do(admin):
    integration = factories.IntegrationFactory(**ONLINE)
    for page in (reverse("integration", args=[integration.pk]), reverse("overview")):
        text = admin.get(page).text
        assert "Since 1 October 2026" in text or "EWS ended" in text
        assert reverse("integration-switch", args=[integration.pk]) in text


def test_servers_on_premises_and_graph_get_no_warning_about_ews(admin):
    server = factories.IntegrationFactory()
    graph = factories.IntegrationFactory(microsoft_api="graph", auth="oauth2", endpoint="https://graph.microsoft.com")
    assert problems(AUTUMN) == []
    for integration in (server, graph):
        assert "EWS ends" not in admin.get(reverse("integration", args=[integration.pk])).text


@pytest.mark.parametrize(("days", "tone"), [(60, None), (20, "warn"), (-1, "bad")])
def test_a_certificate_that_expires_is_reported_thirty_days_before(db, days, tone):
    now = datetime.now(UTC)
    factories.IntegrationFactory(
        microsoft_api="graph", auth="certificate", endpoint="https://graph.microsoft.com",
        client_certificate=certificate_pem(rsa_key(), days=days + 0.1, begins=-90),
    )  # fmt: skip
    assert titles(now) == ([("Certificate ends", tone)] if tone else [])
    assert all(problem.since <= now + timedelta(seconds=5) for problem in problems(now))
