"""The switch between EWS and Graph, by API and page. Both simulators serve the same mailboxes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from access.models import AuditEntry
from integrations.models import Integration
from mailboxes.models import Mailbox
from simulators.graph import Registration
from sync.models import MailboxState
from tests.api.conftest import client_of
from tests.faults.midlife import ADDRESSES, Midlife

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/integrations/bank/mail"


@pytest.fixture
def life(db):
    with Midlife().stage() as staged:
        staged.begin(6)
        yield staged


def target(life):
    """Return the servers and the secret of the simulated Graph."""
    return {"endpoint": life.graph.url, "authority": life.graph.authority_url, "client_secret": "secret"}


def only(life, *addresses):
    """Restrict the application in Entra to these mailboxes."""
    registration = Registration("tenant", "client", "secret", mailboxes=frozenset(addresses))
    life.graph.entra.__init__([registration], ())


def test_a_dry_run_reports_on_each_mailbox_and_changes_nothing(life, api):
    life.sync()
    answer = api.post(f"{URL}/switch-to-graph?dry_run=1", target(life), format="json")
    assert answer.status_code == 200, answer.content
    result = answer.json()
    assert [line["email"] for line in result["mailboxes"]] == list(ADDRESSES)
    assert all(
        line["ok"] and "not sent twice" in line["text"] and "are found" in line["text"] for line in result["mailboxes"]
    )
    assert result["detail"] == "3 of 3 mailboxes can be opened."
    assert Integration.objects.get().microsoft_api == "ews"


def test_after_a_switch_there_is_an_audit_entry_and_the_syncs_continue(life, api):
    life.sync()
    units = life.reinfer.ai_units
    MailboxState.objects.update(next_sync_at="2030-01-01T00:00Z")
    answer = api.post(f"{URL}/switch-to-graph", target(life), format="json")
    assert answer.status_code == 200, answer.content
    row = Integration.objects.get()
    assert (row.microsoft_api, row.endpoint, row.enabled) == ("graph", life.graph.url, True)
    assert {change[0] for change in AuditEntry.objects.first().changes} == {
        "API",
        "Endpoint",
        "Sign-in service",
        "Client secret",
    }
    assert not MailboxState.objects.exclude(next_sync_at=None).exists()
    life.sync()
    assert (life.reinfer.ai_units, life.complaints()) == (units, [])


def test_one_mailbox_that_cannot_be_opened_is_named_and_prevents_the_switch(life, api):
    only(life, *ADDRESSES[:2])
    result = api.post(f"{URL}/switch-to-graph?dry_run=1", target(life), format="json").json()
    assert [line["ok"] for line in result["mailboxes"]] == [True, True, False]
    assert result["mailboxes"][2]["kind"] == "mailbox_out_of_scope"
    refused = api.post(f"{URL}/switch-to-graph", target(life), format="json")
    assert refused.status_code == 409
    assert ADDRESSES[2] in refused.json()["detail"]
    assert Integration.objects.get().microsoft_api == "ews"
    assert api.post(f"{URL}/switch-to-graph", {**target(life), "anyway": True}, format="json").status_code == 200
    life.sync()
    assert Integration.objects.get().enabled  # only the mailbox that fails is paused
    assert MailboxState.objects.get(mailbox__address=ADDRESSES[2]).error_kind == "mailbox_out_of_scope"
    assert MailboxState.objects.filter(error_kind="").count() == 2


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"microsoft_api": "graph"}, "already"),
        ({"auth": "ntlm"}, "Graph accepts only OAuth 2, not NTLM or Basic."),
        ({}, "Enter the endpoint"),
    ],
)
def test_an_integration_that_cannot_be_switched_reports_the_reason(life, api, changed, says):
    Integration.objects.update(**changed)
    answer = api.post(f"{URL}/switch-to-graph", {}, format="json")
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_an_integration_that_was_disabled_because_ews_is_blocked_runs_after_the_switch(life, api):
    Integration.objects.update(enabled=False, disabled_reason="sync_error", disabled_detail="EWS is blocked.")
    assert api.post(f"{URL}/switch-to-graph", target(life), format="json").status_code == 200
    assert Integration.objects.get().enabled


def test_an_integration_that_a_user_stopped_remains_stopped(life, api):
    Integration.objects.update(enabled=False, disabled_reason="user")
    api.post(f"{URL}/switch-to-graph", target(life), format="json")
    assert not Integration.objects.get().enabled


def test_only_an_administrator_may_switch(life):
    for role in ("Viewer", "Operator"):
        client = client_of(role)
        assert client.post(f"{URL}/switch-to-graph?dry_run=1", target(life), format="json").status_code == 403


def test_the_page_checks_the_mailboxes_first_and_then_switches_to_graph_and_back(life, admin_client):
    life.sync()
    page = reverse("integration-switch", args=[Integration.objects.get().pk])
    assert "Check the mailboxes first" in admin_client.get(page).text
    checked = admin_client.post(page, {**target(life), "page": "1"}).text
    assert "3 of 3 mailboxes can be opened." in checked
    assert Integration.objects.get().microsoft_api == "ews"
    assert admin_client.post(page, {**target(life), "do": "1"}).status_code == 302
    assert Integration.objects.get().microsoft_api == "graph"
    back = {"endpoint": life.ews.url("online"), "authority": life.ews.authority_url}
    assert "must be entered again because the endpoint" in admin_client.post(page, {**back, "do": "1"}).text
    back["client_secret"] = "secret"
    assert admin_client.post(page, {**back, "do": "1"}).status_code == 302
    assert Integration.objects.get().microsoft_api == "ews"


def test_the_page_reports_why_a_switch_is_not_possible(life, admin_client):
    only(life)
    page = reverse("integration-switch", args=[Integration.objects.get().pk])
    text = admin_client.post(page, {**target(life), "do": "1"}).text
    assert "Nothing was switched. 0 of 3 mailboxes can be opened." in text
    assert admin_client.post(page, {"page": "1"}).text.count("Enter the endpoint") == 1


def test_many_mailboxes_are_checked_page_by_page(life, api):
    row = Mailbox.objects.first()
    for number in range(60):
        Mailbox.objects.create(integration=row.integration, bucket=row.bucket, address=f"nobody{number}@bank.example")
    first = api.post(f"{URL}/switch-to-graph?dry_run=1", target(life), format="json").json()
    assert (len(first["mailboxes"]), first["next_page"]) == (50, 2)
    assert first["mailboxes"][10]["kind"] == "mailbox_not_found"
    second = api.post(f"{URL}/switch-to-graph?dry_run=1&page=2", target(life), format="json").json()
    assert (len(second["mailboxes"]), second["next_page"]) == (13, None)


def test_an_invalid_endpoint_is_reported_with_the_name_of_its_field(life, api):
    answer = api.post(
        f"{URL}/switch-to-graph", {**target(life), "endpoint": "https://me:word@graph.example"}, format="json"
    )
    assert answer.status_code == 422
    (wrong,) = answer.json()["errors"]
    assert (wrong["field"], "Leave the user name" in wrong["message"]) == ("endpoint", True)
