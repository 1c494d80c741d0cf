"""Every connection test has an audit entry with actor, servers and outcome, and without a secret."""

from __future__ import annotations

import contextlib
import io

import pytest
from django.core.management import call_command
from django.urls import reverse

from access import history
from access.models import AuditEntry
from integrations.models import Destination
from tests import factories
from tests.api.test_secret_binding import ADDRESS, SECRET, Listener, document_of, sent_by_page
from tests.faults.midlife import ADDRESSES, Midlife

HTMX = {"HX-Request": "true"}


@pytest.fixture
def server():
    made = Listener()
    yield made
    made.server.close()


@pytest.fixture
def integration(db, server):
    row = factories.IntegrationFactory(
        project="bank", name="mail", endpoint=f"https://{server.address}", password=SECRET
    )
    factories.MailboxFactory(integration=row, address=ADDRESS)
    return row


@pytest.fixture
def destination(db, server):
    return factories.DestinationFactory(endpoint=f"http://{server.address}", token=SECRET)


def page_button(row, admin, api):
    admin.post(reverse("integration-test", args=[row.pk]), headers=HTMX)


def page_button_without_a_script(row, admin, api):
    admin.post(reverse("integration-test", args=[row.pk]))


def unsaved_page(row, admin, api):
    sent = {**sent_by_page(row, {}), "integration": row.pk, "test_address": ADDRESS}
    admin.post(reverse("integration-try"), sent, headers=HTMX)


def wizard(row, admin, api):
    """Test an integration that is not stored yet."""
    sent = {**sent_by_page(row, {"password": SECRET}), "test_address": ADDRESS}
    admin.post(reverse("integration-try"), sent, headers=HTMX)


def api_test(row, admin, api):
    api.post("/api/v1/integrations/bank/mail/check", format="json")


def api_try(row, admin, api):
    api.post("/api/v1/integrations/bank/mail/try", document_of(row, {}), format="json")


@pytest.mark.parametrize("way", [page_button, page_button_without_a_script, unsaved_page, wizard, api_test, api_try])
def test_each_connection_test_of_an_integration_has_an_audit_entry(integration, server, admin, api, way):
    integration.refresh_from_db()
    way(integration, admin, api)
    assert server.seen
    (entry,) = AuditEntry.objects.all()
    assert entry.who in ("admin", "administrator")
    assert "was tested" in entry.text
    changes = {field: after for field, _, after in entry.changes}
    assert (changes["Mailbox"], changes["Endpoint"]) == (ADDRESS, server.address)
    assert changes["Outcome"].startswith("failed at TLS: ")
    assert entry.integration_id == (None if way is wizard else integration.pk)
    assert SECRET not in str(entry.__dict__)


@pytest.mark.parametrize("way", ["page", "unsaved", "api", "api try"])
def test_each_connection_test_of_a_destination_has_an_audit_entry(destination, server, admin, api, way):
    given = {"name": "Another", "endpoint": destination.endpoint, "token": SECRET}
    if way == "page":
        admin.post(reverse("destination-test", args=[destination.pk]), headers=HTMX)
    elif way == "unsaved":
        admin.post(reverse("destination-try"), {**given, "destination": destination.pk}, headers=HTMX)
    elif way == "api":
        api.post(f"/api/v1/destinations/{destination.pk}/check")
    else:
        api.post("/api/v1/destinations/try", given, format="json")
    assert server.seen
    (entry,) = AuditEntry.objects.all()
    changes = {field: after for field, _, after in entry.changes}
    assert (changes["Endpoint"], changes["Outcome"]) == (server.address, "failed at Address: reinfer_failed")
    assert entry.object_id == (None if way == "api try" else destination.pk)


def test_the_connection_test_of_a_bucket_has_an_audit_entry_with_the_bucket(destination, server, admin):
    bucket = factories.BucketFactory(destination=destination, project="bank", name="desks")
    admin.post(reverse("bucket-test", args=[bucket.pk]), headers=HTMX)
    entry = AuditEntry.objects.get()
    assert (entry.about, entry.object_id) == ("bucket", bucket.pk)
    assert ["Bucket", "", "bank/desks"] in entry.changes


def test_a_connection_test_that_is_killed_or_interrupted_has_an_audit_entry(destination):
    attempt = history.attempt("ann", "A test.", history.Subject.of(destination), [("Endpoint", "", "a:1")])
    attempt.__enter__()
    assert AuditEntry.objects.get().changes[-1] == ["Outcome", "", "unknown: the test did not end"]
    with contextlib.suppress(KeyboardInterrupt):
        attempt.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert AuditEntry.objects.get().changes[-1] == ["Outcome", "", "interrupted by an error"]


@pytest.mark.django_db(transaction=True)
def test_the_doctor_and_the_dry_run_of_a_switch_have_audit_entries(api):
    with Midlife().stage() as life:
        life.begin(3)
        call_command("doctor", "--integration", "bank/mail", stdout=io.StringIO(), stderr=io.StringIO())
        target = {"endpoint": life.graph.url, "authority": life.graph.authority_url, "client_secret": "secret"}
        assert (
            api.post("/api/v1/integrations/bank/mail/switch-to-graph?dry_run=1", target, format="json").status_code
            == 200
        )
        graph = life.graph.url.removeprefix("https://")
        destination = Destination.objects.get()
        api.post(f"/api/v1/destinations/{destination.pk}/check")
    destination_test, dry_run, doctor = AuditEntry.objects.all()
    assert doctor.who.endswith(", manage.py doctor")
    assert ["Mailbox", "", ADDRESSES[0]] in doctor.changes
    assert ["Outcome", "", "it works"] in doctor.changes
    assert ["Endpoint", "", graph] in dry_run.changes
    assert ["Outcome", "", "3 of 3 mailboxes can be opened"] in dry_run.changes
    assert destination_test.changes[-1] == ["Outcome", "", "it works"]
