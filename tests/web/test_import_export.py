"""Export of an integration as a document without secrets; import of a document after a review of its changes."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from access.models import AuditEntry
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from tests.factories import BucketFactory, DestinationFactory, IntegrationFactory, MailboxFactory

SECRET = "a-client-secret-nobody-may-read"

VENDORS: dict[str, Any] = {
    "owner": "bank",
    "name": "bank/trades",
    "title": "Trades",
    "type": "exchange_online",
    "enabled": False,
    "disabled_reason": "user",
    "configuration": {
        "connection": {
            "application": {"kind": "custom", "tenant_id": "t-1", "client_id": "c-1", "client_secret": SECRET},
            "access": {"kind": "app_access"},
            "microsoft_api": {"kind": "ews"},
            "ews_endpoint": None,
            "build_version": None,
        },
        "mailboxes": [
            {
                "email": "desk@bank.example",
                "enabled": True,
                "folder_allowlist": [["Inbox", "A/B"]],
                "participant_domain_denylist": ["Spam.example"],
                "start_timestamp": "2026-01-01T00:00:00Z",
                "bucket_specification": {"project_name": "bank", "name": "desks", "title": "Desks"},
            }
        ],
    },
}

SYNC_APP = {
    "host": "https://exchange.bank.example",
    "port": 8443,
    "auth_type": "ntlm",
    "auth_user": "BANK\\svc",
    "access_type": "delegate",
    "mailboxes": {
        "desk@bank.example": {"bucket": {"owner": "bank", "name": "desks"}, "start_from": "bucket"},
    },
}


def review(admin, document, **fields):
    text = document if isinstance(document, str) else json.dumps(document)
    return admin.post(reverse("integration-import"), {"document": text, **fields})


def confirm(admin, page):
    form = page.context["form"]
    return admin.post(reverse("integration-import"), {name: form[name].value() or "" for name in form.fields})


@pytest.fixture
def destination(db):
    return DestinationFactory()


def test_a_document_of_the_vendor_becomes_an_integration_once_it_is_confirmed(admin, destination):
    page = review(admin, VENDORS)
    assert Integration.objects.count() == 0
    assert "desk@bank.example" in page.text
    assert SECRET not in page.text
    confirm(admin, page)
    imported = Integration.objects.get()
    assert (imported.project, imported.name, imported.title, imported.auth, imported.enabled) == (
        "bank",
        "trades",
        "Trades",
        "oauth2",
        False,
    )
    assert imported.endpoint == "https://outlook.office365.com/EWS/Exchange.asmx"
    assert imported.client_secret.reveal() == SECRET
    mailbox = imported.mailboxes.get()
    assert (mailbox.folder_allow, mailbox.domain_deny) == ([["Inbox", "A/B"]], ["spam.example"])
    assert mailbox.start_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert str(mailbox.bucket) == "bank/desks"
    assert SECRET not in str(list(AuditEntry.objects.values_list("text", "changes")))


def test_the_configuration_of_a_sync_app_is_imported(admin, destination):
    assert "does not contain its project, its name, or both" in review(admin, SYNC_APP).text
    page = review(admin, SYNC_APP, project="bank", name="on-premises")
    assert "The account needs a password" not in page.text
    response = confirm(admin, page)
    assert "Password: This kind of sign-in needs this field." in response.text
    endpoint = "https://exchange.bank.example:8443/EWS/Exchange.asmx"
    IntegrationFactory(project="bank", name="on-premises", endpoint=endpoint)
    confirm(admin, review(admin, SYNC_APP, project="bank", name="on-premises"))
    imported = Integration.objects.get()
    assert (imported.endpoint, imported.access) == (endpoint, "delegate")
    assert imported.password.reveal() == "a-password-nobody-may-read"
    assert imported.mailboxes.count() == 1


def test_what_is_exported_changes_nothing_when_it_is_imported_again(admin):
    integration = IntegrationFactory(proxy="http://proxy.example:3128", poll_interval=30, title="Desk & <b>")
    MailboxFactory(integration=integration, folder_allow=[["In/box", "ä"]], meetings=True, stopped=True)
    MailboxFactory(integration=integration, participant_deny=["a@b.example"], start_at="2026-03-01T12:00:00.5Z")
    exported = admin.get(reverse("integration-export", args=[integration.pk]))
    assert b"nobody-may-read" not in exported.content
    assert "Nothing would change" in review(admin, exported.content.decode()).text
    # After the integration is deleted, the exported document and a password create an equal integration.
    document = json.loads(exported.content)
    document["configuration"]["connection"]["access"]["password"] = "another"
    Integration.objects.all().delete()
    confirm(admin, review(admin, document))
    imported = admin.get(reverse("integration-export", args=[Integration.objects.get().pk]))
    assert {**imported.json(), "updated_at": ""} == {**exported.json(), "updated_at": ""}


def test_what_would_change_is_shown_line_by_line_and_then_done(admin, destination):
    integration = IntegrationFactory(project="bank", name="trades", stopped=True)
    bucket = BucketFactory(destination=destination, project="bank", name="old")
    MailboxFactory(integration=integration, address="Desk@bank.example", bucket=bucket)
    MailboxFactory(integration=integration, address="gone@bank.example", bucket=bucket)
    page = review(admin, VENDORS)
    assert "bank/old" in page.text
    assert "gone@bank.example" in page.text
    assert Mailbox.objects.count() == 2
    confirm(admin, page)
    mailbox = Mailbox.objects.get()
    assert str(mailbox.bucket) == "bank/desks"
    assert mailbox.state.next_sync_at is None
    assert AuditEntry.objects.filter(text__contains="was imported").exists()


def test_an_import_is_refused_if_its_changes_differ_from_the_shown_ones(admin, destination):
    page = review(admin, VENDORS)
    other = IntegrationFactory(project="bank", name="trades", stopped=True)
    response = confirm(admin, page)
    assert "Something changed since this page was opened" in response.text
    assert other.mailboxes.count() == 0
    assert confirm(admin, response).status_code == 302
    assert other.mailboxes.count() == 1


def test_an_unknown_key_is_a_warning(admin, destination):
    document = json.loads(json.dumps(VENDORS))
    document["colour"] = "red"
    document["configuration"]["mailboxes"][0]["folder_alowlist"] = []
    text = review(admin, document).text
    assert "colour is not supported" in text
    assert "configuration.mailboxes[0].folder_alowlist is not supported" in text


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "Paste a document"),
        ("{", "line 1, column"),
        ("[]", "must be an object"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": NaN}', "invalid number"),
        ("{}", "configuration must be an object"),
        ({**VENDORS, "configuration": {"mailboxes": {}}}, "mailboxes must be a list"),
        ({**VENDORS, "configuration": {"mailboxes": [{"email": "x"}]}}, "bucket_specification must be an object"),
        ({**VENDORS, "name": "bank/tr ades"}, "Name: Only letters"),
        ({**VENDORS, "title": 7}, "title must be a text"),
        ({**VENDORS, "enabled": "yes"}, "enabled must be true or false"),
        ({**SYNC_APP, "microsoft_api": "graph"}, "auth_type must be oauth2"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_document_that_cannot_be_used_says_why_and_changes_nothing(admin, destination, document, says):
    page = review(admin, document)
    text = page.text
    if "sealed" in getattr(page.context.get("form"), "fields", {}):
        text = confirm(admin, page).text
    assert says in text
    assert Integration.objects.count() == Mailbox.objects.count() == Bucket.objects.count() == 0


def test_a_bucket_with_an_ambiguous_destination_is_refused(admin, destination):
    DestinationFactory()
    assert "there are several destinations" in review(admin, VENDORS).text


def test_a_file_that_is_no_text_is_refused(admin, destination):
    response = admin.post(reverse("integration-import"), {"file": SimpleUploadedFile("x.json", b"\xff\xfe{\x00}")})
    assert "not a text in UTF-8" in response.text


def test_a_stored_secret_that_no_key_decrypts_is_replaced_by_the_secret_of_the_document(admin, destination, settings):
    IntegrationFactory(project="bank", name="trades", auth="oauth2", client_secret="lost", stopped=True)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    confirm(admin, review(admin, VENDORS))
    assert Integration.objects.get().client_secret.reveal() == SECRET


def test_without_a_key_nothing_is_imported_and_the_page_says_what_is_missing(admin, destination, settings):
    settings.ENCRYPTION_KEYS = []
    assert "ENCRYPTION_KEYS is not set" in review(admin, VENDORS).text


def test_the_review_shows_all_settings_of_a_new_mailbox(admin, destination):
    mailbox = {
        "email": "quiet@bank.example", "enabled": False, "folder_denylist": [["Inbox", "Private"]], "meeting_messages": True,
        "participant_domain_denylist": ["rival.example"],
        "bucket_specification": {"project_name": "bank", "name": "desks", "destination": destination.name},
    }  # fmt: skip
    page = review(admin, {**VENDORS, "configuration": {**VENDORS["configuration"], "mailboxes": [mailbox]}}).text
    for text in (
        "Running: <bdi>no",
        "Inbox/Private",
        "Meeting messages: <bdi>yes",
        "rival.example",
        "Destination: <bdi>",
    ):
        assert text in page
