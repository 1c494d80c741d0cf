"""The forms of integrations and destinations: validation, stored values, and secrets, which are never shown."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse

from integrations.models import Destination, Integration
from tests import factories

VALID = {
    "title": "Operations",
    "project": "operations",
    "name": "exchange",
    "endpoint": "https://exchange.example/EWS/Exchange.asmx",
    "access": "impersonation",
    "auth": "ntlm",
    "username": r"CORP\svc",
    "password": "secret of this test",
    "most_at_once": "4",
}


def create(client, **changed):
    return client.post(reverse("integration-new"), {**VALID, **changed})


def edit(client, integration, **changed):
    """Open the form, then submit it with these changes, as a browser does."""
    address = reverse("integration-edit", args=[integration.pk])
    form = client.get(address).context["form"]
    sent = {name: value for name, value in form.initial.items() if value is not None}
    return client.post(address, {**sent, **changed})


def test_a_new_integration_is_stored_encrypted_and_stopped(admin):
    create(admin)
    integration = Integration.objects.get()
    assert not integration.enabled
    assert integration.password.reveal() == VALID["password"]
    assert VALID["password"] not in integration.password.token


def test_a_second_click_on_save_makes_no_second_integration(admin):
    create(admin)
    assert "already exists" in create(admin).text
    assert Integration.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"password": ""}, "This kind of sign-in needs this field."),
        ({"auth": "oauth2"}, "This kind of sign-in needs this field."),
        ({"endpoint": "not an address"}, "valid URL"),
        ({"endpoint": "https://me:secret@exchange.example/"}, "Leave the user name and the password out"),
        ({"proxy": "http://me:secret@proxy.example:3128"}, "Leave the user name and the password out"),
        ({"proxy": "proxy.example"}, "http://proxy.example:3128"),
        ({"proxy": "http://proxy.example:99999"}, "http://proxy.example:3128"),
        ({"poll_interval": "1"}, "At least 15 seconds"),
        ({"tls_ciphers": "ROT13"}, "OpenSSL supports no cipher"),
        ({"ca_bundle": "hello"}, "not PEM certificates"),
        ({"build_version": "2016"}, "Two to four numbers with dots"),
        ({"name": "with a space"}, "Only letters"),
        ({"title": "x" * 257}, "at most 256 characters"),
    ],
)
def test_invalid_values_are_refused_with_a_text_and_the_password_is_never_shown(admin, changed, expected):
    response = create(admin, **changed)
    assert expected in response.text
    assert "Not saved." in response.text
    assert VALID["password"] not in response.text
    assert not Integration.objects.exists()


def test_the_fields_of_another_sign_in_may_stay_empty(admin):
    create(admin, auth="oauth2", username="", password="", tenant_id="t", client_id="c", client_secret="s")
    assert Integration.objects.get().authority == "https://login.microsoftonline.com"


def test_an_empty_password_keeps_the_one_that_is_stored(admin):
    integration = factories.IntegrationFactory(password="as it was")
    assert edit(admin, integration, title="New title").status_code == 302
    integration.refresh_from_db()
    assert integration.title == "New title"
    assert integration.password.reveal() == "as it was"
    edit(admin, integration, password="a new one")
    integration.refresh_from_db()
    assert integration.password.reveal() == "a new one"


def test_only_changed_fields_are_written_so_that_changes_of_a_worker_are_kept(admin):
    integration = factories.IntegrationFactory()
    address = reverse("integration-edit", args=[integration.pk])
    sent = {name: value for name, value in admin.get(address).context["form"].initial.items() if value is not None}
    # A worker disables the integration in the meantime. This does not change updated_at, because it is not an edit.
    Integration.objects.update(enabled=False, disabled_reason="quota", disabled_detail="Quota reached.")
    admin.post(address, {**sent, "title": "Renamed"})
    integration.refresh_from_db()
    assert integration.title == "Renamed"
    assert integration.disabled_reason == "quota"


def test_of_two_admins_who_edit_one_integration_the_second_gets_an_error(admin):
    integration = factories.IntegrationFactory()
    address = reverse("integration-edit", args=[integration.pk])
    sent = {name: value for name, value in admin.get(address).context["form"].initial.items() if value is not None}
    assert admin.post(address, {**sent, "title": "By the first"}).status_code == 302
    response = admin.post(address, {**sent, "title": "By the second"})
    assert "Another user changed or deleted this" in response.text
    assert "By the second" in response.text
    integration.refresh_from_db()
    assert integration.title == "By the first"


def test_saving_closes_the_circuit_breaker_and_makes_the_mailboxes_due(admin):
    state = factories.MailboxStateFactory(failures=3)
    integration = state.mailbox.integration
    Integration.objects.update(held_until="2030-01-01T00:00Z", held_detail="Exchange refused these credentials.")
    edit(admin, integration, password="repaired")
    integration.refresh_from_db()
    state.refresh_from_db()
    assert not integration.is_held
    assert state.next_sync_at is None


def test_a_missing_encryption_key_is_a_message_beside_the_field(admin, settings):
    settings.ENCRYPTION_KEYS = []
    response = create(admin)
    assert response.status_code == 200
    assert "ENCRYPTION_KEYS is not set" in response.text
    assert VALID["password"] not in response.text
    assert "ENCRYPTION_KEYS is not set" in admin.get(reverse("overview")).text


def test_a_wrong_encryption_key_is_a_message_and_the_secret_can_be_entered_anew(admin, settings):
    integration = factories.IntegrationFactory()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for name in ("integration", "integration-edit"):
        assert "cannot be decrypted" in admin.get(reverse(name, args=[integration.pk])).text
    edit(admin, integration, password="entered anew")
    assert "cannot be decrypted" not in admin.get(reverse("integration", args=[integration.pk])).text


def test_a_destination_needs_a_token_and_keeps_the_path_of_its_endpoint(admin):
    endpoint = "https://cloud.example/organisation/tenant/reinfer_"
    address = reverse("destination-new")
    assert "Re:infer requires a token" in admin.post(address, {"name": "Prod", "endpoint": endpoint}).text
    admin.post(address, {"name": "Prod", "endpoint": endpoint, "token": "t"})
    destination = Destination.objects.get()
    assert destination.endpoint == endpoint
    assert destination.token.reveal() == "t"
    admin.post(reverse("destination-edit", args=[destination.pk]), {"name": "Prod", "endpoint": endpoint, "seen": "?"})
