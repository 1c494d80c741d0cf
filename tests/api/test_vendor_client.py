"""The Re:infer-compatible API supports the requests of Re:infer's command-line client: paths, envelope and keys.

The requests were recorded from `re` 0.43.0, and their ids were replaced. The tests check that each response has the keys
without which the parser of the client fails.
"""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.models import LedgerEntry, SyncedFolder
from tests import factories
from tests.api.conftest import client_of

PRIVATE = "/api/_private"
CLAIMS = (
    '{"integration":{"title":"Claims","enabled":true,"configuration":{"connection":{"access":{"kind":"user_access",'
    '"username":"svc@bank.example"},"application":{"kind":"custom","client_id":"c-1","tenant_id":"t-1"},'
    '"ews_endpoint":"https://outlook.office365.com/EWS/Exchange.asmx"},"mailboxes":[{"email":"claims@bank.example",'
    '"enabled":true,"folder_denylist":[["Inbox","Private"]],"participant_domain_denylist":["spam.example"],'
    '"start_timestamp":"2026-01-01T00:00:00Z","bucket_specification":{"project_name":"bank","name":"claims",'
    '"title":"Claims"}}]}}}'
)
"""The request that the client makes from a file with a client secret and a password. The client sends neither of them."""

USER = {
    "id": str,
    "username": str,
    "email": str,
    "created": str,
    "verified": bool,
    "global_permissions": list,
    "organisation_permissions": dict,
    "sso_global_permissions": list,
}
INTEGRATION = {
    "id": str,
    "owner": str,
    "name": str,
    "title": str,
    "type": str,
    "created_at": str,
    "updated_at": str,
    "enabled": bool,
    "configuration": dict,
}
MAILBOX = {"email": str, "enabled": bool, "bucket_specification": dict}
BUCKET = {"id": str, "name": str, "owner": str, "created_at": str}
STATE = {"mailbox_name": str, "status": str, "last_synced_at": str}
PROJECT = {"name": str, "title": str, "description": str, "created_at": str, "updated_at": str}


@pytest.fixture
def destination(db):
    return factories.DestinationFactory()


@pytest.fixture
def says(api):
    return lambda *request: response_to(api, *request)


def response_to(client, method, path, body=""):
    """Send a request with the headers of the client. Check the envelope, and return status code and content."""
    kind = {"content_type": "application/json"} if body else {}
    answer = client.generic(method, path, body, headers={"Accept": "*/*", "Accept-Encoding": "gzip"}, **kind)
    content = answer.json()
    assert content["status"] == ("ok" if answer.status_code < 300 else "error"), content
    assert content["status"] == "ok" or content["message"]
    return answer.status_code, content


def demand(shape, given):
    """Assert that an object has these keys with values of these types."""
    assert {key: type(given.get(key)) for key in shape} == shape


def test_the_client_gets_the_user_of_its_token(says):
    code, answer = says("GET", "/auth/user")
    assert code == 200
    demand(USER, answer["user"])
    assert says("POST", "/auth/refresh-user-permissions", "{}") == (
        200,
        {"status": "ok", "permissions_refreshed": None},
    )


@pytest.mark.parametrize("path", ["/auth/user", f"{PRIVATE}/integrations", f"{PRIVATE}/nothing", "/api/v1/sources"])
def test_without_a_token_the_client_gets_an_error_in_its_envelope(db, path):
    assert response_to(client_of("nobody"), "GET", path)[0] == 401


def test_an_integration_is_created_without_the_secrets_that_the_client_cannot_send(says, destination):
    assert says("GET", f"{PRIVATE}/integrations") == (200, {"status": "ok", "integrations": []})
    code, answer = says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)
    assert code == 200
    demand(INTEGRATION, answer["integration"])
    row = Integration.objects.get()
    assert (row.enabled, row.disabled_reason, bool(row.client_secret)) == (False, "user", False)
    assert "Not entered yet: Client secret" in row.disabled_detail
    assert Mailbox.objects.get().enabled


def test_an_integration_that_the_client_created_runs_after_its_secrets_are_put(api, says, destination):
    says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)
    new = json.loads(CLAIMS)["integration"]
    new["configuration"]["connection"]["application"]["client_secret"] = "a secret"
    new["configuration"]["connection"]["access"]["password"] = "another"
    answer = api.put("/api/v1/integrations/bank/claims?unknown=ignore", new, format="json")
    assert answer.status_code == 200, answer.content
    row = Integration.objects.get()
    assert (row.enabled, row.disabled_detail, row.client_secret.reveal()) == (True, "", "a secret")


def test_a_listed_integration_can_be_read_by_owner_and_name(says, destination):
    says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)
    _, listed = says("GET", f"{PRIVATE}/integrations")
    _, one = says("GET", f"{PRIVATE}/integrations/bank%2Fclaims")
    assert listed["integrations"] == [one["integration"]]
    demand(INTEGRATION, one["integration"])
    (mailbox,) = one["integration"]["configuration"]["mailboxes"]
    demand(MAILBOX, mailbox)
    demand({"project_name": str, "name": str, "title": str}, mailbox["bucket_specification"])
    assert f"{one['integration']['owner']}/{one['integration']['name']}" == "bank/claims"


def test_a_change_by_the_client_keeps_the_values_that_the_client_does_not_know(says, destination):
    says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)
    row = Integration.objects.get()
    row.client_secret, row.poll_interval = "a secret", 300
    row.enabled, row.disabled_reason, row.disabled_detail = True, "", ""
    row.save()
    Mailbox.objects.update(meetings=True, reports=True)
    changed = CLAIMS.replace('"Claims","enabled"', '"Claims 2","enabled"').replace("Private", "Secret")
    code, answer = says("POST", f"{PRIVATE}/integrations/bank%2Fclaims", changed)
    assert (code, answer["integration"]["title"]) == (200, "Claims 2")
    row.refresh_from_db()
    mailbox = Mailbox.objects.get()
    assert (row.client_secret.reveal(), row.poll_interval, row.enabled) == ("a secret", 300, True)
    assert (mailbox.meetings, mailbox.reports, mailbox.folder_deny) == (True, True, [["Inbox", "Secret"]])


def test_a_connection_that_the_client_cannot_parse_is_omitted_and_not_changed(says):
    row = factories.IntegrationFactory(project="bank", name="ntlm", title="Old")
    _, listed = says("GET", f"{PRIVATE}/integrations")
    (integration,) = listed["integrations"]
    assert "connection" not in integration["configuration"]
    new = json.dumps({"integration": {"title": "New", "enabled": True, "configuration": integration["configuration"]}})
    assert says("POST", f"{PRIVATE}/integrations/bank%2Fntlm", new)[0] == 200
    row.refresh_from_db()
    assert (row.title, row.endpoint) == ("New", "https://exchange.example/EWS/Exchange.asmx")
    assert row.password.reveal() == "a-password-nobody-may-read"


def test_an_existing_integration_is_not_created_again_and_not_changed_by_an_outdated_document(says, destination):
    says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)
    assert says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)[0] == 409
    _, stored = says("GET", f"{PRIVATE}/integrations/bank%2Fclaims")
    old = json.dumps({"integration": {**stored["integration"], "title": "Old"}})
    says("POST", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS.replace('"Claims","e', '"New","e'))
    assert says("POST", f"{PRIVATE}/integrations/bank%2Fclaims", old)[0] == 409
    assert Integration.objects.get().title == "New"


def test_an_integration_is_deleted_by_its_id(says, destination):
    _, made = says("PUT", f"{PRIVATE}/integrations/bank%2Fclaims", CLAIMS)
    assert says("GET", f"{PRIVATE}/integrations/bank")[1]["integrations"][0]["id"] == made["integration"]["id"]
    assert says("GET", f"{PRIVATE}/integrations/bank%2Fclaims/errors") == (200, {"status": "ok", "errors": []})
    assert says("DELETE", f"{PRIVATE}/integrations/id:{made['integration']['id']}") == (200, {"status": "ok"})
    assert says("GET", f"{PRIVATE}/integrations/bank%2Fclaims")[0] == 404


def test_many_integrations_are_listed_with_as_many_queries_as_one(says, db):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            says("GET", f"{PRIVATE}/integrations")
        return len(seen)

    factories.MailboxFactory()
    one = queries()
    for _ in range(20):
        factories.MailboxFactory()
    assert queries() == one


def test_a_bucket_can_be_created_read_counted_and_deleted(says, destination):
    code, made = says("PUT", f"{PRIVATE}/buckets/bank%2Fdesks", '{"bucket":{"bucket_type":"emails","title":"T"}}')
    assert code == 200
    demand(BUCKET, made["bucket"])
    # The client would retry after a 409 for 30 seconds.
    assert says("PUT", f"{PRIVATE}/buckets/bank%2Fdesks", '{"bucket":{"bucket_type":"emails"}}')[0] == 422
    by_name, by_id = f"{PRIVATE}/buckets/bank%2Fdesks", f"{PRIVATE}/buckets/id:{made['bucket']['id']}"
    assert says("GET", by_name) == says("GET", by_id) == (200, {"status": "ok", "bucket": made["bucket"]})
    assert says("GET", f"{PRIVATE}/buckets")[1]["buckets"] == [made["bucket"]]
    mailbox = factories.MailboxFactory(bucket_id=int(made["bucket"]["id"], 16))
    for state in LedgerEntry.State:
        factories.LedgerEntryFactory(bucket=mailbox.bucket, state=state)
    assert says("GET", f"{by_name}/statistics")[1]["statistics"] == {"count": {"kind": "exact", "value": 1}}
    assert says("DELETE", by_id)[0] == 422
    mailbox.delete()
    assert says("DELETE", by_id) == (200, {"status": "ok"})
    assert says("GET", by_name)[0] == 404


def test_a_bucket_name_at_two_destinations_requires_the_id(says):
    for _ in range(2):
        row = factories.BucketFactory(project="bank", name="desks", destination=factories.DestinationFactory())
    code, answer = says("GET", f"{PRIVATE}/buckets/bank%2Fdesks")
    assert (code, "the id" in answer["message"]) == (422, True)
    assert says("GET", f"{PRIVATE}/buckets/id:{row.pk:016x}")[0] == 200


def test_sync_states_are_listed_for_a_bucket_and_deleted_by_their_ids(says):
    folder = factories.SyncedFolderFactory(cursor="behind the last page", up_to_date=True)
    factories.MailboxStateFactory(mailbox=folder.mailbox)
    _, buckets = says("GET", f"{PRIVATE}/buckets")
    base = f"{PRIVATE}/buckets/id:{buckets['buckets'][0]['id']}"
    # The client encodes the slash at the end of this path.
    (state,) = says("GET", f"{base}/keyed-sync-states%2F")[1]["keyed_sync_states"]
    demand(STATE, state)
    assert (state["status"], state["folder_path"]) == ("UP_TO_DATE", folder.path)
    _, ids = says("POST", f"{base}/keyed-sync-state-ids", json.dumps({"mailbox_name": folder.mailbox.address}))
    (one,) = ids["keyed_sync_state_ids"]
    assert says("DELETE", f"{base}/keyed-sync-state/{one}") == (200, {"status": "ok"})
    assert SyncedFolder.objects.get().cursor == ""
    assert says("DELETE", f"{base}/keyed-sync-state/ffff")[0] == 404


def test_the_projects_are_those_of_integrations_and_buckets(says):
    factories.IntegrationFactory(project="bank")
    factories.BucketFactory(project="claims")
    _, listed = says("GET", f"{PRIVATE}/projects")
    assert [project["name"] for project in listed["projects"]] == ["bank", "claims"]
    demand(PROJECT, says("GET", f"{PRIVATE}/projects/claims")[1]["project"])
    assert says("GET", f"{PRIVATE}/projects/none")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/sources", ""),
        ("GET", "/api/v1/sources/bank%2Fdesks", ""),
        ("PUT", "/api/v1/sources/bank%2Fdesks", '{"source":{}}'),
        ("GET", "/api/v1/datasets", ""),
        ("POST", "/api/v1/audit_events/query", '{"filter":{"timestamp":{}}}'),
        ("GET", f"{PRIVATE}/quotas", ""),
        ("GET", f"{PRIVATE}/users", ""),
        ("POST", f"{PRIVATE}/buckets/bank%2Fdesks/emails", '{"limit":64}'),
    ],
)
def test_an_unsupported_path_of_re_infer_is_rejected_with_an_explanation(says, method, path, body):
    code, answer = says(method, path, body)
    assert (code, "is not Re:infer" in answer["message"]) == (404, True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[]", 422),
        ("{}", 422),
        ("{", 400),
        ("\x00", 400),
        ('{"integration": 1}', 422),
        ('{"integration": {"configuration": {"mailboxes": [1]}}}', 422),
        ('{"integration": {"title": "a\\u0000b", "configuration": {"mailboxes": []}}}', 422),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_invalid_body_is_rejected_in_the_envelope_of_the_vendor(says, method, body, code):
    factories.IntegrationFactory(project="bank", name="there")
    assert says(method, f"{PRIVATE}/integrations/bank%2F{'there' if method == 'POST' else 'new'}", body)[0] == code
