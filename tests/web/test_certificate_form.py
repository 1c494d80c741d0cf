"""The credentials of Exchange Online in the form: kinds of sign-in, clouds, keys and certificates. No key is ever shown."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.urls import reverse

from access.models import AuditEntry
from integrations.certificates import facts
from integrations.models import Integration
from tests import factories
from tests.pems import certificate_pem, key_pem, rsa_key

KEY, CERTIFICATE = key_pem(rsa_key()), certificate_pem(rsa_key())
VALID = {
    "project": "operations",
    "name": "online",
    "kind": "graph",
    "cloud": "global",
    "online_auth": "certificate",
    "auth": "ntlm",
    "access": "impersonation",
    "tenant_id": "contoso.example",
    "client_id": "11111111-2222-3333-4444-555555555555",
    "client_key": KEY,
    "client_certificate": CERTIFICATE,
    "most_at_once": "4",
}
KEY_LINE = KEY.splitlines()[3]


def create(client, **changed):
    return client.post(reverse("integration-new"), {**VALID, **changed})


def edit(client, integration, **changed):
    address = reverse("integration-edit", args=[integration.pk])
    form = client.get(address).context["form"]
    sent = {name: value for name, value in form.initial.items() if value is not None}
    return client.post(address, {**sent, **changed})


def file(*pems: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("app.pem", "".join(pems).encode())


def test_the_default_is_graph_with_a_certificate_whose_thumbprint_is_computed(admin):
    assert create(admin).status_code == 302
    row = Integration.objects.get()
    assert (row.microsoft_api, row.auth) == ("graph", "certificate")
    assert (row.endpoint, row.authority) == ("https://graph.microsoft.com", "https://login.microsoftonline.com")
    assert row.client_thumbprint == facts(CERTIFICATE).thumbprint
    assert row.client_key.reveal().strip() == KEY.strip()
    assert KEY_LINE not in row.client_key.token


@pytest.mark.parametrize(
    ("cloud", "kind", "endpoint", "authority"),
    [
        ("us_gov", "graph", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("us_dod", "graph", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
        ("china", "graph", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        ("china", "online", "https://partner.outlook.cn/EWS/Exchange.asmx", "https://login.chinacloudapi.cn"),
        ("global", "online", "https://outlook.office365.com/EWS/Exchange.asmx", "https://login.microsoftonline.com"),
    ],
)
def test_a_cloud_sets_the_urls_and_is_selected_when_the_form_is_opened_again(admin, cloud, kind, endpoint, authority):
    create(admin, cloud=cloud, kind=kind)
    row = Integration.objects.get()
    assert (row.endpoint, row.authority) == (endpoint, authority)
    form = admin.get(reverse("integration-edit", args=[row.pk])).context["form"]
    assert (form.initial["cloud"], form.initial["kind"], form.initial["online_auth"]) == (cloud, kind, "certificate")


def test_custom_urls_are_stored_unchanged(admin):
    values = {"endpoint": "https://graph.example", "authority": "https://login.example"}
    create(admin, cloud="custom", **values)
    row = Integration.objects.get()
    assert {"endpoint": row.endpoint, "authority": row.authority} == values
    assert admin.get(reverse("integration-edit", args=[row.pk])).context["form"].initial["cloud"] == "custom"


@pytest.mark.parametrize("order", [(KEY, CERTIFICATE), (CERTIFICATE, KEY)])
def test_key_and_certificate_may_come_in_one_file(admin, order):
    other = certificate_pem(rsa_key(2))  # as in a chain
    create(admin, client_key="", client_certificate="", client_file=file(other, *order))
    row = Integration.objects.get()
    assert row.client_key.reveal().strip() == KEY.strip()
    assert row.client_thumbprint == facts(CERTIFICATE).thumbprint
    assert "PRIVATE KEY" not in row.client_certificate


def test_a_key_that_was_pasted_together_with_its_certificate_is_separated(admin):
    create(admin, client_key=KEY + CERTIFICATE, client_certificate="")
    row = Integration.objects.get()
    assert "CERTIFICATE" not in row.client_key.reveal()
    assert row.client_certificate.strip() == CERTIFICATE.strip()


def test_a_key_with_its_thumbprint_alone_is_enough(admin):
    create(admin, client_certificate="", client_thumbprint=facts(CERTIFICATE).thumbprint.lower())
    assert Integration.objects.get().client_thumbprint == facts(CERTIFICATE).thumbprint


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_key": ""}, "No private key was entered"),
        ({"client_key": "hello"}, "No private key was entered"),
        ({"client_key": "", "client_certificate": ""}, "This kind of sign-in needs this field."),
        ({"client_certificate": ""}, "or at least its thumbprint"),
        ({"client_certificate": "hello"}, "not a PEM certificate"),
        ({"client_key": key_pem(rsa_key(), b"passphrase")}, "has a passphrase"),
        ({"client_key": key_pem(ec.generate_private_key(ec.SECP256R1()))}, "RSA keys only"),
        ({"client_key": KEY + key_pem(rsa_key(2))}, "several private keys"),
        ({"client_key": key_pem(rsa_key(2))}, "belongs to another private key"),
        ({"client_certificate": certificate_pem(rsa_key(), days=-1, begins=-9)}, "This certificate ended on"),
        ({"client_certificate": certificate_pem(rsa_key(), begins=5)}, "is valid from"),
        ({"client_thumbprint": "A" * 40}, "thumbprint of another certificate"),
        ({"client_file": SimpleUploadedFile("app.pfx", b"0\x82\x00\x00")}, "openssl pkcs12"),
        ({"client_file": SimpleUploadedFile("app.pem", b"-----BEGIN " * 9999)}, "openssl pkcs12"),
        ({"tenant_id": ""}, "This kind of sign-in needs this field."),
        ({"online_auth": "service_user"}, "This kind of sign-in needs this field."),
        ({"online_auth": "oauth2"}, "This kind of sign-in needs this field."),
        (
            {"kind": "", "microsoft_api": "graph", "endpoint": "https://g.example"},
            "Microsoft Graph accepts only OAuth 2",
        ),
        ({"cloud": "custom", "endpoint": "https://x.example/EWS/Exchange.asmx"}, "This is an endpoint of EWS"),
        ({"kind": "online", "cloud": "custom", "endpoint": "https://graph.microsoft.com"}, "the endpoint of Graph"),
    ],
)
def test_invalid_credentials_are_refused_and_no_key_is_shown(admin, changed, expected):
    response = create(admin, **changed)
    assert expected in response.text
    assert KEY_LINE not in response.text
    assert not Integration.objects.exists()


def test_a_key_pasted_into_the_wrong_field_is_not_shown_again(admin):
    response = create(admin, client_key="", client_certificate=KEY + CERTIFICATE, name="with a space")
    assert "Not saved." in response.text
    assert KEY_LINE not in response.text
    assert CERTIFICATE.splitlines()[1] in response.text


def test_a_key_in_the_field_of_the_certificate_is_never_stored_unencrypted(admin):
    values = {"online_auth": "oauth2", "client_secret": "s", "client_key": "", "client_certificate": KEY + CERTIFICATE}
    assert create(admin, **values).status_code == 302
    assert KEY_LINE not in Integration.objects.get().client_certificate


def test_an_empty_field_keeps_the_stored_key_which_is_never_shown(admin):
    create(admin)
    row = Integration.objects.get()
    assert edit(admin, row, title="Renamed").status_code == 302
    row.refresh_from_db()
    assert (row.title, row.client_key.reveal().strip()) == ("Renamed", KEY.strip())
    for name in ("integration", "integration-edit"):
        assert KEY_LINE not in admin.get(reverse(name, args=[row.pk])).text
    for name in ("connection", "json", "history"):
        assert KEY_LINE not in admin.get(reverse("integration-tab", args=[row.pk, name])).text


def test_a_renewed_certificate_of_the_same_key_needs_no_key(admin):
    create(admin)
    renewed = certificate_pem(rsa_key(), days=700)
    assert edit(admin, Integration.objects.get(), client_certificate=renewed).status_code == 302
    assert Integration.objects.get().client_thumbprint == facts(renewed).thumbprint


def test_a_new_pair_from_a_file_replaces_the_old_one_and_the_audit_log_contains_no_key(admin):
    create(admin)
    pair = file(key_pem(rsa_key(2)), certificate_pem(rsa_key(2)))
    assert edit(admin, Integration.objects.get(), client_file=pair).status_code == 302
    row = Integration.objects.get()
    assert row.client_key.reveal().strip() == key_pem(rsa_key(2)).strip()
    changes = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert "Certificate thumbprint" in changes
    assert "another secret" in changes
    assert "PRIVATE KEY" not in changes


def test_an_expired_certificate_does_not_prevent_other_changes(admin):
    row = factories.IntegrationFactory(
        microsoft_api="graph", auth="certificate", tenant_id="t", client_id="c", client_key=KEY,
        client_certificate=certificate_pem(rsa_key(), days=-1, begins=-9), endpoint="https://graph.microsoft.com",
    )  # fmt: skip
    assert "The certificate ended on" in admin.get(reverse("integration-edit", args=[row.pk])).text
    assert edit(admin, row, title="Renamed").status_code == 302


def test_a_service_user_may_sign_in_for_graph(admin):
    create(admin, online_auth="service_user", username="svc@contoso.example", password="p", client_key="")
    row = Integration.objects.get()
    assert (row.auth, row.password.reveal()) == ("service_user", "p")


def test_the_database_also_refuses_graph_with_ntlm(db):
    with pytest.raises(IntegrityError):
        factories.IntegrationFactory(microsoft_api="graph", auth="ntlm")
