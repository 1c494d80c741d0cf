"""Documents of integrations with Graph, certificates and service users can be applied, exported and applied again."""

from __future__ import annotations

import copy

import pytest

from integrations.certificates import facts
from integrations.models import Integration
from operations.documents.desired import DocumentWrong
from operations.documents.reading import read_document
from tests import factories
from tests.pems import certificate_pem, key_pem, rsa_key
from tests.web.test_certificate_form import CERTIFICATE, KEY, KEY_LINE
from tests.web.test_import_export import VENDORS

URL, VENDOR_URL = "/api/v1/integrations/bank/trades", "/api/_private/integrations/bank/trades"
APP = {"tenant_id": "contoso.example", "client_id": "c"}
BY_CERTIFICATE = {"kind": "private_key", **APP, "thumbprint": facts(CERTIFICATE).thumbprint, "private_key": KEY}
BY_SECRET = {"kind": "custom", **APP, "client_secret": "s"}
BY_USER = {"kind": "user_access", "username": "svc@contoso.example", "password": "p"}
ITSELF = {"kind": "app_access"}
GRAPH, EWS = {"kind": "graph"}, {"kind": "ews"}
SYNC_APP = {
    "microsoft_api": "graph",
    "auth_type": "oauth2",
    "auth_oauth_authority": "https://login.microsoftonline.com/contoso.example/",
    "auth_oauth_client_id": "c",
    "auth_oauth_client_credential_private_key": KEY,
    "auth_oauth_client_credential_thumbprint": facts(CERTIFICATE).thumbprint,
    "mailboxes": {"desk@bank.example": {"bucket": {"owner": "bank", "name": "desks"}}},
}


@pytest.fixture
def destination(db):
    return factories.DestinationFactory()


def document(application, access=ITSELF, api=GRAPH, settings=None, **connection):
    made = copy.deepcopy(VENDORS)
    made["configuration"]["connection"] = {"application": application, "access": access, **connection}
    if api:
        made["configuration"]["connection"]["microsoft_api"] = api
    made["configuration"]["settings"] = settings or {}
    return made


@pytest.mark.parametrize(
    ("given", "row"),
    [
        (document(BY_CERTIFICATE), ("graph", "certificate", "https://graph.microsoft.com")),
        (document(BY_SECRET), ("graph", "oauth2", "https://graph.microsoft.com")),
        (document({"kind": "custom", **APP}, BY_USER), ("graph", "service_user", "https://graph.microsoft.com")),
        (
            document(BY_SECRET, settings={"authority": "https://login.microsoftonline.us"}),
            ("graph", "oauth2", "https://graph.microsoft.us"),
        ),
        (
            document(BY_SECRET, settings={"graph_endpoint": "https://dod-graph.microsoft.us"}),
            ("graph", "oauth2", "https://dod-graph.microsoft.us"),
        ),
        (
            document(BY_CERTIFICATE, settings={"client_certificate": CERTIFICATE}),
            ("graph", "certificate", "https://graph.microsoft.com"),
        ),
        (
            document(BY_CERTIFICATE, api=EWS),
            ("ews", "certificate", "https://outlook.office365.com/EWS/Exchange.asmx"),
        ),
        (
            document({"kind": "custom", **APP}, BY_USER, EWS, ews_endpoint="https://e.example/EWS/Exchange.asmx"),
            ("ews", "service_user", "https://e.example/EWS/Exchange.asmx"),
        ),
    ],
)
def test_every_kind_of_document_can_be_applied_exported_and_applied_again(api, destination, given, row):
    made = api.put(URL, given, format="json")
    assert made.status_code == 201, made.content
    stored = Integration.objects.get()
    assert (stored.microsoft_api, stored.auth, stored.endpoint) == row
    assert KEY_LINE not in made.content.decode()
    assert not {"private_key", "client_secret"} & set(made.json()["configuration"]["connection"]["application"])
    assert "password" not in made.json()["configuration"]["connection"]["access"]
    stamp = stored.updated_at
    for same in (given, made.json()):
        again = api.put(URL, same, format="json")
        assert (again.status_code, again.json()) == (200, made.json())
    stored.refresh_from_db()
    assert stored.updated_at == stamp


def test_a_document_without_the_api_does_not_change_the_api(api, destination):
    api.put(URL, document(BY_CERTIFICATE), format="json")
    assert api.put(URL, document(BY_CERTIFICATE, api=None), format="json").status_code == 200
    assert Integration.objects.get().microsoft_api == "graph"


def test_a_new_key_with_its_thumbprint_removes_the_certificate_of_the_old_key(api, destination):
    api.put(URL, document(BY_CERTIFICATE, settings={"client_certificate": CERTIFICATE}), format="json")
    new = certificate_pem(rsa_key(2))
    changed = {**BY_CERTIFICATE, "private_key": key_pem(rsa_key(2)), "thumbprint": facts(new).thumbprint.lower()}
    answer = api.put(URL, document(changed), format="json")
    assert answer.status_code == 200, answer.content
    row = Integration.objects.get()
    assert (row.client_thumbprint, row.client_certificate) == (facts(new).thumbprint, "")


def test_the_plan_names_a_certificate_by_its_thumbprint(api, destination):
    given = document(BY_CERTIFICATE, settings={"client_certificate": CERTIFICATE})
    changes = {line["what"]: line for line in api.put(f"{URL}?dry_run=1", given, format="json").json()["changes"]}
    assert changes["Certificate"]["after"] == facts(CERTIFICATE).thumbprint
    assert changes["Private key"]["after"] == "a secret"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (document(BY_SECRET, api={"kind": "imap"}), "must be ews or graph"),
        (document({**BY_SECRET, "kind": "magic"}), "must be custom, private_key or ntlm"),
        (document({"kind": "ntlm"}, {"kind": "user_access", "username": "u", "password": "p"}), "accepts only OAuth 2"),
        (document({"kind": "ntlm"}, {"kind": "user_access", "username": "u", "password": "p"}, EWS), "is missing"),
        (document({**BY_CERTIFICATE, "private_key": "hello"}), "No private key was entered"),
        (document({**BY_CERTIFICATE, "thumbprint": ""}), "at least its thumbprint"),
        (
            document(
                {**BY_CERTIFICATE, "private_key": key_pem(rsa_key(2))}, settings={"client_certificate": CERTIFICATE}
            ),
            "another private key",
        ),
    ],
)
def test_an_impossible_document_is_rejected_with_the_reason(api, destination, given, says):
    answer = api.put(URL, given, format="json")
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_connection_that_the_vendors_client_cannot_parse_is_omitted_and_stays_unchanged(api, destination):
    api.put(URL, document(BY_CERTIFICATE), format="json")
    integration = api.get(VENDOR_URL).json()["integration"]
    assert "connection" not in integration["configuration"]
    answer = api.post(VENDOR_URL, {"integration": {**integration, "title": "New", "updated_at": None}}, format="json")
    assert answer.status_code == 200, answer.content
    row = Integration.objects.get()
    assert (row.title, row.microsoft_api, row.auth) == ("New", "graph", "certificate")


def test_the_vendors_client_reads_and_writes_a_service_user_of_ews(api, destination):
    given = document({"kind": "custom", **APP}, BY_USER, None)
    del given["configuration"]["settings"]
    assert api.put(VENDOR_URL, {"integration": given}, format="json").status_code == 200
    integration = api.get(VENDOR_URL).json()["integration"]
    access = integration["configuration"]["connection"]["access"]
    assert access == {"kind": "user_access", "username": "svc@contoso.example"}
    answer = api.post(VENDOR_URL, {"integration": {**integration, "title": "New", "updated_at": None}}, format="json")
    assert answer.status_code == 200, answer.content
    row = Integration.objects.get()
    assert (row.title, row.auth, row.password.reveal()) == ("New", "service_user", "p")


def test_a_sync_app_on_graph_with_a_certificate_is_read():
    desired = read_document(SYNC_APP, "bank", "trades")
    assert (desired.settings["microsoft_api"], desired.settings["auth"]) == ("graph", "certificate")
    assert desired.settings["endpoint"] == "https://graph.microsoft.com"
    assert desired.secrets == {"client_key": KEY.strip()}
    assert not desired.warnings


def test_a_sync_app_of_a_national_cloud_gets_the_graph_endpoint_of_that_cloud():
    authority = "https://login.chinacloudapi.cn/contoso.example/"
    desired = read_document({**SYNC_APP, "auth_oauth_authority": authority}, "bank", "trades")
    assert desired.settings["endpoint"] == "https://microsoftgraph.chinacloudapi.cn"


def test_a_sync_app_with_another_api_is_refused():
    with pytest.raises(DocumentWrong, match="ews or graph"):
        read_document({**SYNC_APP, "microsoft_api": "imap"}, "bank", "trades")
