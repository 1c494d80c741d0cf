"""Switching over the API and the page: looked at first, by who may, over the two simulators on one store."""

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


def there(life):
    return {"endpoint": life.graph.url, "authority": life.graph.authority_url, "client_secret": "secret"}


def only(life, *addresses):
    """The scope of the app's role leaves the other mailboxes out."""
    registration = Registration("tenant", "client", "secret", mailboxes=frozenset(addresses))
    life.graph.entra.__init__([registration], ())


def test_a_dry_run_tells_of_each_mailbox_and_changes_nothing(life, api):
    life.sync()
    answer = api.post(f"{URL}/switch-to-graph?dry_run=1", there(life), format="json")
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert [line["email"] for line in told["mailboxes"]] == list(ADDRESSES)
    assert all(
        line["ok"] and "not sent twice" in line["text"] and "are found" in line["text"] for line in told["mailboxes"]
    )
    assert told["detail"] == "3 of 3 mailboxes can be opened."
    assert Integration.objects.get().microsoft_api == "ews"


def test_a_switch_is_done_written_down_and_lets_syncs_go_on(life, api):
    life.sync()
    units = life.reinfer.ai_units
    MailboxState.objects.update(next_sync_at="2030-01-01T00:00Z")
    answer = api.post(f"{URL}/switch-to-graph", there(life), format="json")
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


def test_one_mailbox_of_many_that_may_not_be_read_is_named_and_holds_the_switch_back(life, api):
    only(life, *ADDRESSES[:2])
    told = api.post(f"{URL}/switch-to-graph?dry_run=1", there(life), format="json").json()
    assert [line["ok"] for line in told["mailboxes"]] == [True, True, False]
    assert told["mailboxes"][2]["kind"] == "mailbox_out_of_scope"
    refused = api.post(f"{URL}/switch-to-graph", there(life), format="json")
    assert refused.status_code == 409
    assert ADDRESSES[2] in refused.json()["detail"]
    assert Integration.objects.get().microsoft_api == "ews"
    assert api.post(f"{URL}/switch-to-graph", {**there(life), "anyway": True}, format="json").status_code == 200
    life.sync()
    assert Integration.objects.get().enabled  # only the mailbox that fails waits
    assert MailboxState.objects.get(mailbox__address=ADDRESSES[2]).error_kind == "mailbox_out_of_scope"
    assert MailboxState.objects.filter(error_kind="").count() == 2


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"microsoft_api": "graph"}, "already"),
        ({"auth": "ntlm"}, "Graph accepts the sign-in of an app"),
        ({}, "Enter the endpoint"),
    ],
)
def test_what_cannot_be_switched_says_why(life, api, changed, says):
    Integration.objects.update(**changed)
    answer = api.post(f"{URL}/switch-to-graph", {}, format="json")
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_an_integration_that_stood_still_since_ews_was_blocked_runs_again(life, api):
    Integration.objects.update(enabled=False, disabled_reason="sync_error", disabled_detail="EWS is blocked.")
    assert api.post(f"{URL}/switch-to-graph", there(life), format="json").status_code == 200
    assert Integration.objects.get().enabled


def test_what_a_user_stopped_stays_stopped(life, api):
    Integration.objects.update(enabled=False, disabled_reason="user")
    api.post(f"{URL}/switch-to-graph", there(life), format="json")
    assert not Integration.objects.get().enabled


def test_only_an_administrator_switches(life):
    for role in ("Viewer", "Operator"):
        client = client_of(role)
        assert client.post(f"{URL}/switch-to-graph?dry_run=1", there(life), format="json").status_code == 403


def test_the_page_looks_first_and_then_switches_and_back(life, admin_client):
    life.sync()
    page = reverse("integration-switch", args=[Integration.objects.get().pk])
    assert "Check the mailboxes first" in admin_client.get(page).text
    looked = admin_client.post(page, {**there(life), "page": "1"}).text
    assert "3 of 3 mailboxes can be opened." in looked
    assert Integration.objects.get().microsoft_api == "ews"
    assert admin_client.post(page, {**there(life), "do": "1"}).status_code == 302
    assert Integration.objects.get().microsoft_api == "graph"
    back = {"endpoint": life.ews.url("online"), "authority": life.ews.authority_url}
    assert "must be entered again because the endpoint" in admin_client.post(page, {**back, "do": "1"}).text
    back["client_secret"] = "secret"
    assert admin_client.post(page, {**back, "do": "1"}).status_code == 302
    assert Integration.objects.get().microsoft_api == "ews"


def test_the_page_says_what_stands_in_the_way(life, admin_client):
    only(life)
    page = reverse("integration-switch", args=[Integration.objects.get().pk])
    text = admin_client.post(page, {**there(life), "do": "1"}).text
    assert "Nothing was switched. 0 of 3 mailboxes can be opened." in text
    assert admin_client.post(page, {"page": "1"}).text.count("Enter the endpoint") == 1


def test_many_mailboxes_are_looked_at_page_by_page(life, api):
    row = Mailbox.objects.first()
    for number in range(60):
        Mailbox.objects.create(integration=row.integration, bucket=row.bucket, address=f"nobody{number}@bank.example")
    first = api.post(f"{URL}/switch-to-graph?dry_run=1", there(life), format="json").json()
    assert (len(first["mailboxes"]), first["next_page"]) == (50, 2)
    assert first["mailboxes"][10]["kind"] == "mailbox_not_found"
    second = api.post(f"{URL}/switch-to-graph?dry_run=1&page=2", there(life), format="json").json()
    assert (len(second["mailboxes"]), second["next_page"]) == (13, None)


def test_what_is_wrong_with_an_address_or_a_key_is_said_at_its_field(life, api):
    answer = api.post(
        f"{URL}/switch-to-graph", {**there(life), "endpoint": "https://me:word@graph.example"}, format="json"
    )
    assert answer.status_code == 422
    (wrong,) = answer.json()["errors"]
    assert (wrong["field"], "Leave the user name" in wrong["message"]) == ("endpoint", True)
