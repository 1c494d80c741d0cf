"""The vendor's command-line client finds what it asks for: its paths, its envelope, its shapes."""

from __future__ import annotations

import pytest

from integrations.models import Integration
from sync.models import SyncedFolder
from tests import factories

URL = "/api/_private/integrations"
NEW = {
    "title": "Trades",
    "enabled": True,
    "configuration": {
        "connection": {
            "access": {"kind": "user_access", "username": "svc@bank.example"},
            "application": {"kind": "custom", "client_id": "c", "tenant_id": "t", "client_secret": "s"},
        },
        "mailboxes": [
            {
                "email": "desk@bank.example",
                "enabled": True,
                "bucket_specification": {"project_name": "bank", "name": "desks", "title": "Desks"},
            }
        ],
    },
}


@pytest.fixture
def destination(db):
    return factories.DestinationFactory()


def test_an_integration_is_created_listed_updated_and_deleted(api, destination):
    made = api.put(f"{URL}/bank/trades", {"integration": NEW}, format="json")
    assert (made.status_code, made.json()["status"]) == (200, "ok"), made.content
    found = api.get(f"{URL}/bank/trades").json()["integration"]
    needed = {"id", "owner", "name", "title", "type", "created_at", "updated_at", "enabled", "configuration"}
    assert needed <= set(found)
    assert found["configuration"]["connection"]["application"] == {"kind": "custom", "client_id": "c", "tenant_id": "t"}
    assert found["configuration"]["connection"]["access"] == {"kind": "user_access", "username": "svc@bank.example"}
    assert api.put(f"{URL}/bank/trades", {"integration": NEW}, format="json").status_code == 409
    update = {**found, "title": "Other", "updated_at": None}
    assert (
        api.post(f"{URL}/bank/trades", {"integration": update}, format="json").json()["integration"]["title"] == "Other"
    )
    assert Integration.objects.get().client_secret.reveal() == "s"
    assert [row["name"] for row in api.get(URL).json()["integrations"]] == ["bank/trades"]
    assert api.get(f"{URL}/bank").json()["integrations"][0]["id"] == found["id"]
    assert api.delete(f"{URL}/id:{found['id']}").json() == {"status": "ok"}
    missing = api.get(f"{URL}/bank/trades")
    assert (missing.status_code, missing.json()["status"]) == (404, "error")


def test_a_connection_that_the_client_cannot_parse_is_left_out_and_kept(api, destination):
    row = factories.IntegrationFactory(project="bank", name="ntlm")
    found = api.get(f"{URL}/bank/ntlm").json()["integration"]
    assert "connection" not in found["configuration"]
    answer = api.post(f"{URL}/bank/ntlm", {"integration": {**found, "title": "New", "updated_at": None}}, format="json")
    assert answer.status_code == 200, answer.content
    row.refresh_from_db()
    assert (row.title, row.endpoint) == ("New", "https://exchange.example/EWS/Exchange.asmx")
    assert row.password.reveal() == "a-password-nobody-may-read"


def test_sync_states_are_listed_by_bucket_and_deleted_one_by_one(api):
    folder = factories.SyncedFolderFactory(cursor="behind the last page", up_to_date=True)
    factories.MailboxStateFactory(mailbox=folder.mailbox)
    bucket = api.get("/api/_private/buckets").json()["buckets"][0]
    base = f"/api/_private/buckets/id:{bucket['id']}"
    (state,) = api.get(f"{base}/keyed-sync-states/").json()["keyed_sync_states"]
    assert (state["status"], state["folder_path"]) == ("UP_TO_DATE", folder.path)
    asked = api.post(f"{base}/keyed-sync-state-ids", {"mailbox_name": folder.mailbox.address}, format="json")
    assert asked.json()["keyed_sync_state_ids"] == [state["id"]]
    assert api.delete(f"{base}/keyed-sync-state/{state['id']}").json() == {"status": "ok"}
    assert SyncedFolder.objects.get().cursor == ""
    assert api.delete(f"{base}/keyed-sync-state/ffff").status_code == 404


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"integration": 1}', '{"integration": {"configuration": {"mailboxes": [1]}}}']
)
def test_a_bad_body_is_refused_in_the_vendors_envelope(api, destination, body):
    answer = api.put(f"{URL}/bank/trades", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["status"] == "error"
    assert answer.json()["message"]
