"""Integrations, mailboxes and destinations in the API.

PUT is idempotent and uses optimistic locking, and no response contains a secret.
"""

from __future__ import annotations

import copy
import socket

import pytest

from access.models import AuditEntry
from integrations.models import Integration
from mailboxes.models import Mailbox
from tests import factories
from tests.web.test_import_export import SECRET, VENDORS

URL = "/api/v1/integrations/bank/trades"


@pytest.fixture
def destination(db):
    return factories.DestinationFactory()


@pytest.fixture
def closed_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]  # the port is bound, but no server listens


def document(**changed):
    return copy.deepcopy(VENDORS) | changed


def test_a_put_creates_and_the_same_put_again_changes_nothing(api, destination):
    first = api.put(URL, document(), format="json")
    assert first.status_code == 201
    assert SECRET not in first.content.decode()
    made = Integration.objects.get()
    assert made.client_secret.reveal() == SECRET
    stamp, entries = made.updated_at, AuditEntry.objects.count()
    second = api.put(URL, document(), format="json")
    assert (second.status_code, second["ETag"]) == (200, first["ETag"])
    made.refresh_from_db()
    assert (made.updated_at, AuditEntry.objects.count()) == (stamp, entries)


def test_the_document_of_a_get_can_be_put_unchanged(api, destination):
    api.put(URL, document(), format="json")
    got = api.get(URL)
    again = api.put(URL, got.json(), format="json")
    assert again.status_code == 200
    assert again.json() == got.json()


def test_a_dry_run_returns_the_changes_and_makes_none(api, destination):
    answer = api.put(f"{URL}?dry_run=1", document(), format="json")
    assert answer.status_code == 200
    changes = {line["what"]: line for line in answer.json()["changes"]}
    assert changes["Mailbox added"]["after"] == "desk@bank.example"
    assert changes["Client secret"] == {"what": "Client secret", "before": "empty", "after": "a secret"}
    assert SECRET not in answer.content.decode()
    assert Integration.objects.count() == 0


def test_a_put_removes_the_mailboxes_that_are_not_in_the_document(api, destination):
    api.put(URL, document(), format="json")
    less = document()
    less["configuration"]["mailboxes"] = []
    assert api.put(URL, less, format="json").status_code == 200
    assert Mailbox.objects.count() == 0


def test_of_two_changes_of_the_same_state_the_second_is_rejected(api, destination):
    api.put(URL, document(), format="json")
    seen = api.get(URL)
    assert api.put(URL, document(title="First"), format="json", HTTP_IF_MATCH=seen["ETag"]).status_code == 200
    late = api.put(URL, document(title="Second"), format="json", HTTP_IF_MATCH=seen["ETag"])
    assert late.status_code == 412
    by_body = api.put(URL, {**seen.json(), "title": "Second"}, format="json")
    assert by_body.status_code == 409
    assert Integration.objects.get().title == "First"


@pytest.mark.parametrize(
    "what", ["a mailbox changed", "a mailbox added", "a mailbox removed", "put with another mailbox"]
)
def test_an_outdated_document_does_not_undo_later_changes_of_mailboxes(api, destination, what):
    api.put(URL, document(), format="json")
    seen = api.get(URL)
    pk = Mailbox.objects.get().pk
    another = {"email": "b@bank.example", "bucket_specification": {"project_name": "bank", "name": "desks"}}
    if what == "a mailbox changed":
        done = api.patch(f"/api/v1/mailboxes/{pk}", {"folder_denylist": [["Inbox", "Private"]]}, format="json")
    elif what == "a mailbox added":
        done = api.post(f"{URL}/mailboxes", another, format="json")
    elif what == "a mailbox removed":
        done = api.delete(f"/api/v1/mailboxes/{pk}")
    else:
        more = document()
        more["configuration"]["mailboxes"].append(another)
        done = api.put(URL, more, format="json")
    assert done.status_code < 300, done.content
    before = api.get(URL).json()
    assert api.put(URL, {**seen.json(), "title": "Late"}, format="json").status_code == 409
    assert api.put(URL, document(title="Late"), format="json", HTTP_IF_MATCH=seen["ETag"]).status_code == 412
    assert api.get(URL).json() == before


def test_a_change_that_was_sent_twice_is_made_once(api, destination):
    api.put(URL, document(), format="json")
    seen = api.get(URL)
    first = api.put(URL, document(title="New"), format="json", HTTP_IF_MATCH=f'"other", {seen["ETag"]}')
    assert first.status_code == 200
    # The response was lost, so the client sends the same request again. It gets 412, because the first request changed the
    # state.
    assert api.put(URL, document(title="New"), format="json", HTTP_IF_MATCH=seen["ETag"]).status_code == 412
    assert api.put(URL, document(title="New"), format="json", HTTP_IF_MATCH="*").json() == first.json()
    assert api.delete(URL, HTTP_IF_MATCH=seen["ETag"]).status_code == 412
    assert api.delete(URL, HTTP_IF_MATCH=first["ETag"]).status_code == 204
    assert api.delete(URL, HTTP_IF_MATCH="*").status_code == 404


def test_a_connection_can_be_tested_before_it_is_stored(api, destination, closed_port):
    new = document()
    new["configuration"]["connection"]["ews_endpoint"] = f"https://127.0.0.1:{closed_port}/EWS/Exchange.asmx"
    answer = api.post(f"{URL}/try", new, format="json")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["ok"], answer.json()["steps"][-1]["name"]) == (False, "Port")
    assert Integration.objects.count() == 0
    del new["configuration"]["connection"]["application"]["client_secret"]
    assert "Client secret" in api.post(f"{URL}/try", new, format="json").json()["detail"]


def test_a_destination_can_be_tested_before_it_is_stored_and_reports_why_no_buckets_are_listed(
    api, destination, closed_port
):
    values = {"name": "New", "endpoint": f"http://127.0.0.1:{closed_port}/", "token": SECRET}
    answer = api.post("/api/v1/destinations/try", values, format="json")
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert SECRET not in answer.content.decode()
    destination.__class__.objects.filter(pk=destination.pk).update(endpoint=values["endpoint"])
    listed = api.get(f"/api/v1/destinations/{destination.pk}/available-buckets").json()
    assert (listed["ok"], listed["buckets"], bool(listed["detail"])) == (False, [], True)


def test_filters_can_be_previewed_before_they_are_stored(api, destination):
    api.put(URL, document(), format="json")
    row = Mailbox.objects.get()
    url = f"/api/v1/mailboxes/{row.pk}/filter-preview"
    assert (
        "No email of the last 30 days"
        in api.post(url, {"folder_denylist": [["Inbox"]]}, format="json").json()["detail"]
    )
    assert api.post(url, {"participant_denylist": ["nonsense"]}, format="json").status_code == 400
    row.refresh_from_db()
    assert row.folder_deny == []


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 400, "JSON parse error"),
        (b"\xff{}", 400, "JSON parse error"),
        (b"[]", 400, "Invalid data"),
        (b'{"title": "\\ud800"}', 422, "surrogate"),
        (b'{"title": "a\\u0000b"}', 422, "NUL"),
        (b'{"title": 7, "configuration": {"mailboxes": []}}', 400, "Some fields have errors"),
        (b'{"configuration": {"mailboxes": [], "colour": 1}}', 422, "configuration.colour is not supported"),
        (b"[" * 100_000, 400, "JSON parse error"),
        (
            b'{"name": "other/thing", "configuration": {"mailboxes": []}}',
            422,
            "project and name in the document differ",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_invalid_document_is_rejected_with_the_reason(api, destination, body, status, says):
    answer = api.put(URL, body, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert Integration.objects.count() == 0


def test_unknown_keys_can_be_ignored_on_request(api, destination):
    assert api.put(f"{URL}?unknown=ignore", document(colour=1), format="json").status_code == 201


def test_a_document_of_ten_megabytes_is_rejected_before_it_is_read(api, destination):
    answer = api.put(URL, b'{"title": "' + b"a" * 10_000_000 + b'"}', content_type="application/json")
    assert answer.status_code == 413


def test_another_content_type_is_refused(api, destination):
    assert api.put(URL, b"title=x", content_type="text/plain").status_code == 415


def test_actions_return_a_sentence_and_write_audit_entries(api, destination):
    api.put(URL, document(), format="json")
    assert api.post(f"{URL}/start").json()["detail"] == "Trades is running."
    pk = Mailbox.objects.get().pk
    answer = api.post(f"/api/v1/mailboxes/{pk}/list-again")
    assert (answer.status_code, answer.json()["look_at"]) == (202, f"/api/v1/mailboxes/{pk}")
    assert api.post(f"{URL}/stop").status_code == 200
    refused = api.post(f"/api/v1/mailboxes/{pk}/sync-now")
    assert (refused.status_code, refused.json()["status"]) == (422, 422)
    assert AuditEntry.objects.filter(text="Trades is running.", integration_id=Integration.objects.get().pk).exists()
    assert api.delete(URL).status_code == 204
    assert api.get(URL).status_code == 404


def test_one_mailbox_can_be_added_changed_and_deleted(api, destination):
    api.put(URL, document(), format="json")
    bucket = {"project_name": "bank", "name": "claims"}
    made = api.post(f"{URL}/mailboxes", {"email": "new@bank.example", "bucket_specification": bucket}, format="json")
    assert made.status_code == 201, made.content
    twice = api.post(f"{URL}/mailboxes", {"email": "NEW@bank.example", "bucket_specification": bucket}, format="json")
    assert twice.status_code == 409
    url = f"/api/v1/mailboxes/{made.json()['id']}"
    changed = api.patch(url, {"folder_denylist": [["Inbox", "Private"]], "enabled": False}, format="json")
    assert changed.status_code == 200, changed.content
    assert (changed.json()["folder_denylist"], changed.json()["disabled_reason"]) == ([["Inbox", "Private"]], "user")
    assert api.patch(url, {"colour": 1}, format="json").status_code == 422
    assert api.get("/api/v1/mailboxes", {"email": "new@BANK.example"}).json()["results"][0]["id"] == made.json()["id"]
    assert api.get("/api/v1/mailboxes", {"bucket": "x"}).status_code == 400
    assert api.delete(url).status_code == 204


def test_a_destination_and_its_bucket_cannot_be_added_twice_or_deleted_while_a_mailbox_uses_them(api):
    made = api.post(
        "/api/v1/destinations", {"name": "P", "endpoint": "https://re.example", "token": SECRET}, format="json"
    )
    assert made.status_code == 201
    assert SECRET not in made.content.decode()
    pk = made.json()["id"]
    twice = api.post(
        "/api/v1/destinations", {"name": "P", "endpoint": "https://re.example", "token": SECRET}, format="json"
    )
    assert twice.status_code == 409
    assert twice.json()["errors"] == [{"field": "name", "message": "A destination with this name exists already."}]
    bucket = api.post("/api/v1/buckets", {"destination": pk, "project_name": "a", "name": "b"}, format="json")
    assert bucket.status_code == 201
    url = f"/api/v1/buckets/{bucket.json()['id']}"
    assert api.patch(url, {"monthly_limit": 10}, format="json").json()["monthly_limit"] == 10
    assert api.patch(url, {"monthly_limit": "many"}, format="json").status_code == 400
    mailbox = factories.MailboxFactory(bucket_id=bucket.json()["id"])
    assert api.delete(url).status_code == 409
    assert api.delete(f"/api/v1/destinations/{pk}").status_code == 409
    mailbox.delete()
    assert api.delete(f"/api/v1/destinations/{pk}").status_code == 204
