"""A stored secret is sent only to the server for which it was entered, however the settings are changed.

The tests combine each interface with each setting that decides where or how the secret is sent. Two servers listen on
the loopback interface: the server of the secret (`own`) and another server (`other`). A rejected change must cause no
connection to either server.
"""

from __future__ import annotations

import ast
import copy
import io
import json
import socket
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import reverse

from integrations.admin import DestinationAdmin, IntegrationAdmin
from integrations.connect import list_buckets, open_sink, open_source
from integrations.encryption import Secret
from integrations.errors import SecretElsewhere, TokenElsewhere
from integrations.models import Destination, Integration
from operations import api_migration, connection_tests
from operations.documents.stored import exported
from tests import factories
from tests.actors import ADMIN
from tests.pems import certificate_pem, rsa_key
from tests.tree import product_packages

SECRET = "a-secret-nobody-may-read"
AGAIN = "must be entered again because"
ADDRESS = "desk@bank.example"


class Listener:
    """A server that counts connections, and closes each of them."""

    def __init__(self):
        self.seen = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                caller, _ = self.server.accept()
            except OSError:
                return
            self.seen += 1
            caller.close()


@pytest.fixture
def listener():
    made = []

    def listen():
        made.append(Listener())
        return made[-1]

    yield listen
    for one in made:
        one.server.close()


@pytest.fixture
def own(listener):
    """The server for which the secret was entered."""
    return listener()


@pytest.fixture
def other(listener):
    """Another server, to which the secret must not be sent."""
    return listener()


@pytest.fixture
def integration(db, own):
    row = factories.IntegrationFactory(
        project="bank",
        name="mail",
        auth="oauth2",
        endpoint=f"https://{own.address}/EWS/Exchange.asmx",
        authority=f"https://{own.address}",
        tenant_id="tenant",
        client_id="client",
        username="",
        password="",
        client_secret=SECRET,
    )
    factories.MailboxFactory(integration=row, address=ADDRESS, bucket__destination__name="Re:infer")
    return row


@pytest.fixture
def destination(db, own):
    return factories.DestinationFactory(name="Production", endpoint=f"http://{own.address}", token=SECRET)


# ---- changed settings ------------------------------------------------------------------------------------------------

SETTINGS = {
    "endpoint": lambda other: {"endpoint": f"https://{other.address}/EWS/Exchange.asmx"},
    "sign-in service": lambda other: {"authority": f"https://{other.address}"},
    "tenant": lambda other: {"tenant_id": "thief"},
    "proxy": lambda other: {"proxy": f"http://{other.address}"},
    "CA bundle": lambda other: {"ca_bundle": certificate_pem(rsa_key()).strip()},
    "minimum TLS version": lambda other: {"tls_minimum": "1.0"},
    "TLS cipher list": lambda other: {"tls_ciphers": "DEFAULT:@SECLEVEL=0"},
}


# ---- interfaces: each function returns the text that the user sees -----------------------------------------------------


def sent_by_page(integration, changed):
    """Return the form data that a browser sends."""
    from integrations.forms import IntegrationForm

    form = IntegrationForm(instance=integration)
    sent = {name: value for name, value in form.initial.items() if value is not None}
    return {**sent, "kind": "", "online_auth": "", **changed}


def edit_page(integration, changed, admin, api):
    return admin.post(reverse("integration-edit", args=[integration.pk]), sent_by_page(integration, changed)).text


def try_button_of_the_page(integration, changed, admin, api):
    sent = {**sent_by_page(integration, changed), "integration": integration.pk, "test_address": ADDRESS}
    return admin.post(reverse("integration-try"), sent, headers={"HX-Request": "true"}).text


def document_of(integration, changed):
    row = copy.copy(integration)
    for name, value in changed.items():
        setattr(row, name, value)
    document = exported(row)
    document.pop("updated_at")
    return document


def api_put(integration, changed, admin, api):
    answer = api.put("/api/v1/integrations/bank/mail", document_of(integration, changed), format="json")
    return answer.json()["detail"]


def api_try(integration, changed, admin, api):
    document = document_of(integration, changed)
    answer = api.post(f"/api/v1/integrations/bank/mail/try?address={ADDRESS}", document, format="json")
    return answer.json()["detail"]


def import_page(integration, changed, admin, api):
    text = json.dumps(document_of(integration, changed))
    page = admin.post(reverse("integration-import"), {"document": text})
    form = page.context["form"]
    confirmed = {name: form[name].value() or "" for name in form.fields}
    return admin.post(reverse("integration-import"), confirmed).text


def apply_command(integration, changed, admin, api, tmp_path):
    file = tmp_path / "document.json"
    file.write_text(json.dumps(document_of(integration, changed)))
    with pytest.raises(CommandError) as refused:
        call_command("apply", str(file), stdout=io.StringIO(), stderr=io.StringIO())
    return str(refused.value)


def vendor_client(integration, changed, admin, api):
    body = {"integration": document_of(integration, changed)}
    answer = api.post("/api/_private/integrations/bank%2Fmail", body, format="json")
    return answer.json()["message"]


WAYS = (edit_page, try_button_of_the_page, api_put, api_try, import_page, apply_command, vendor_client)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_stored_secret_is_required_again_when_any_interface_changes_its_destination(
    integration, own, other, admin, api, tmp_path, way, setting
):
    before = Integration.objects.values().get()
    more = [tmp_path] if way is apply_command else []
    text = way(integration, SETTINGS[setting](other), admin, api, *more)
    assert (own.seen, other.seen) == (0, 0)
    assert f"The client secret {AGAIN} the {setting} changed." in text
    assert Integration.objects.values().get() == before
    assert SECRET not in text


@pytest.mark.parametrize("setting", SETTINGS)
def test_with_the_secret_the_change_is_stored_and_the_secret_is_bound_to_the_new_server(
    integration, other, admin, api, setting
):
    changed = SETTINGS[setting](other)
    answer = edit_page(integration, {**changed, "client_secret": "another"}, admin, api)
    row = Integration.objects.get()
    (name, value) = next(iter(changed.items()))
    assert getattr(row, name) == value, answer
    assert row.opened("client_secret") == "another"
    assert row.bindings["client_secret"] == row.places()["client_secret"]


def test_a_document_with_the_same_secret_binds_it_to_the_new_server(integration, other, api):
    document = document_of(integration, SETTINGS["endpoint"](other))
    document["configuration"]["connection"]["application"]["client_secret"] = SECRET
    answer = api.put("/api/v1/integrations/bank/mail", document, format="json")
    assert answer.status_code == 200, answer.content
    row = Integration.objects.get()
    assert (other.address in row.endpoint, row.opened("client_secret")) == (True, SECRET)


def test_a_document_with_the_same_secret_binds_a_secret_without_a_binding(integration, api):
    Integration.objects.update(bindings={})
    document = document_of(integration, {})
    document["configuration"]["connection"]["application"]["client_secret"] = SECRET
    assert api.put("/api/v1/integrations/bank/mail", document, format="json").status_code == 200
    assert Integration.objects.get().opened("client_secret") == SECRET


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Another title", "poll_interval": "900"},
        {"tls_minimum": "1.3"},
        {"authority": "https://LOCALHOST.example:443/"},
    ],
)
def test_a_change_that_sends_the_secret_to_no_other_server_does_not_require_it(integration, admin, api, changed):
    factories.moved(integration, authority="https://localhost.example")
    edit_page(integration, changed, admin, api)
    row = Integration.objects.get()
    assert {name: str(getattr(row, name)) for name in changed} == changed
    assert row.opened("client_secret") == SECRET


def test_the_minimum_tls_version_cannot_be_lowered_without_the_secret(integration, admin, api):
    edit_page(integration, {"tls_minimum": "1.3"}, admin, api)
    text = edit_page(Integration.objects.get(), {"tls_minimum": "1.2"}, admin, api)
    assert f"{AGAIN} the minimum TLS version changed." in text
    assert Integration.objects.get().tls_minimum == "1.3"


def test_a_secret_is_not_carried_to_a_new_server_by_changing_the_sign_in_first(integration, other, admin, api):
    """First select a sign-in that does not use the secret, then another endpoint, then the sign-in that uses it."""
    account = {"username": "u", "password": "p"}
    edit_page(integration, {"auth": "ntlm", **account}, admin, api)
    edit_page(Integration.objects.get(), {**SETTINGS["endpoint"](other), "password": "p"}, admin, api)
    assert other.address in Integration.objects.get().endpoint
    text = edit_page(Integration.objects.get(), {"auth": "oauth2"}, admin, api)
    assert f"The client secret {AGAIN} the endpoint changed." in text
    assert Integration.objects.get().auth == "ntlm"


# ---- changes in the database, without an interface ---------------------------------------------------------------------------


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_integration_that_was_changed_in_the_database_sends_no_secret(integration, own, other, setting):
    Integration.objects.update(**SETTINGS[setting](other))
    row = Integration.objects.get()
    with pytest.raises(SecretElsewhere):
        open_source(row, ADDRESS)
    finding = connection_tests.test_integration(ADMIN, row, ADDRESS)
    assert (finding.ok, finding.kind) == (False, "secret_elsewhere")
    with pytest.raises(SecretElsewhere):
        open_source(row, ADDRESS)
    assert (own.seen, other.seen) == (0, 0)


def test_an_integration_that_was_changed_in_code_sends_no_secret(integration, other):
    row = Integration.objects.get()
    row.endpoint = f"https://{other.address}/EWS/Exchange.asmx"
    row.save()
    with pytest.raises(SecretElsewhere):
        open_source(Integration.objects.get(), ADDRESS)
    integration.endpoint = row.endpoint  # repeat the change with the instance that created the row
    integration.save()
    with pytest.raises(SecretElsewhere):
        open_source(Integration.objects.get(), ADDRESS)


def test_a_changed_integration_that_is_not_stored_sends_no_secret(integration, other):
    unsaved = copy.copy(Integration.objects.get())
    unsaved.endpoint = f"https://{other.address}/EWS/Exchange.asmx"
    with pytest.raises(SecretElsewhere):
        open_source(unsaved, ADDRESS)


def test_only_known_modules_decrypt_a_secret():
    """`reveal` decrypts a secret without a check of its destination. So only the modules in `known` may call `reveal`."""
    known = {
        "integrations/bound.py": "checks the destination first",
        "integrations/sealing.py": "checks whether the secret can be decrypted",
        "integrations/connect.py": "checks whether this process can decrypt the secrets",
        "integrations/forms/certificate.py": "checks whether the key belongs to the certificate",
        "web/integrations/document_form.py": "the secrets of a document that was just entered",
        "operations/documents/plan.py": "compares with the secret in a document",
        "notifications/delivering.py": "signs a webhook request; the URL of a webhook cannot be changed",
    }
    root = Path(settings.BASE_DIR)
    revealing, senders = set(), set()
    for app in product_packages():
        for path in (root / app).rglob("*.py"):
            calls = {
                node.func.attr
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            }
            place = path.relative_to(root).as_posix()
            revealing |= {place} if "reveal" in calls else set()
            senders |= {place} if "opened" in calls else set()
    assert revealing == set(known)
    digested = {"sync/jobs/sign_in_budget.py"}  # computes a keyed digest of the secret, and does not send it
    assert senders == {"integrations/connect.py", "integrations/sealing.py"} | digested


def test_the_django_admin_cannot_change_integrations_and_destinations(rf):
    from django.contrib.admin import site

    request = rf.get("/")
    request.user = factories.AdminFactory.build()
    for model, page in ((Integration, IntegrationAdmin), (Destination, DestinationAdmin)):
        assert not page(model, site).has_change_permission(request)
        assert not page(model, site).has_add_permission(request)


# ---- the switch between EWS and Graph ------------------------------------------------------------------------------------


def test_a_switch_within_a_microsoft_cloud_requires_no_secret(integration):
    factories.moved(integration, endpoint="https://outlook.office365.com/EWS/Exchange.asmx")
    target = api_migration.target_of(integration, "graph")
    assert isinstance(target, api_migration.Target)
    assert api_migration.as_switched(integration, target).opened("client_secret") == SECRET


@pytest.mark.parametrize("dry", [True, False])
def test_a_switch_to_a_custom_endpoint_requires_the_secret(integration, own, other, admin, api, dry):
    target = {"endpoint": f"https://{other.address}", "anyway": True}
    answer = api.post(f"/api/v1/integrations/bank/mail/switch-to-graph{'?dry_run=1' * dry}", target, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "client_secret", "message": f"The client secret {AGAIN} the endpoint changed."}
    ]
    page = reverse("integration-switch", args=[integration.pk])
    text = admin.post(page, {**target, "page": "1"} if dry else {**target, "do": "1", "anyway": "on"}).text
    assert f"The client secret {AGAIN} the endpoint changed." in text
    assert (own.seen, other.seen) == (0, 0)
    assert Integration.objects.get().microsoft_api == "ews"


def test_the_doctor_sends_the_secret_to_no_other_server(integration, own, other):
    with pytest.raises(CommandError, match=f"{AGAIN} the endpoint changed"):
        call_command(
            "doctor", "--integration", "bank/mail", "--graph", "--endpoint", f"https://{other.address}",
            stdout=io.StringIO(), stderr=io.StringIO(),
        )  # fmt: skip
    assert (own.seen, other.seen) == (0, 0)


# ---- destinations ---------------------------------------------------------------------------------------------------


def destination_page(destination, endpoint, admin, api):
    sent = {"name": destination.name, "endpoint": endpoint, "seen": destination.updated_at.isoformat()}
    return admin.post(reverse("destination-edit", args=[destination.pk]), sent).text


def destination_test_button(destination, endpoint, admin, api):
    sent = {"name": destination.name, "endpoint": endpoint, "destination": destination.pk}
    return admin.post(reverse("destination-try"), sent, headers={"HX-Request": "true"}).text


def destination_patch(destination, endpoint, admin, api):
    answer = api.patch(f"/api/v1/destinations/{destination.pk}", {"endpoint": endpoint}, format="json")
    return answer.text


@pytest.mark.parametrize("way", [destination_page, destination_test_button, destination_patch])
@pytest.mark.parametrize("endpoint", ["https://{}", "http://{}/organisation/thief"])
def test_a_stored_token_is_required_again_with_another_endpoint(destination, own, other, admin, api, way, endpoint):
    before = Destination.objects.values().get()
    text = way(destination, endpoint.format(other.address), admin, api)
    assert (own.seen, other.seen) == (0, 0)
    assert f"The API token {AGAIN} the endpoint changed." in text
    assert Destination.objects.values().get() == before


def test_a_patch_with_the_token_binds_it_to_the_new_server_and_the_audit_entry_names_both(destination, other, api):
    from access.models import AuditEntry

    before = destination.endpoint
    given = {"endpoint": f"http://{other.address}", "token": "another"}
    assert api.patch(f"/api/v1/destinations/{destination.pk}", given, format="json").status_code == 200
    row = Destination.objects.get()
    assert row.opened("token") == "another"
    assert AuditEntry.objects.first().changes == [
        ["API endpoint", before, given["endpoint"]],
        ["API token", "a secret", "another secret"],
    ]


def test_a_patch_to_an_equivalent_endpoint_does_not_require_the_token(destination, api):
    given = {"endpoint": f"{destination.endpoint}/", "name": "Other"}
    assert api.patch(f"/api/v1/destinations/{destination.pk}", given, format="json").status_code == 200
    assert Destination.objects.get().opened("token") == SECRET


def test_a_destination_that_was_changed_in_the_database_sends_no_token(destination, own, other):
    Destination.objects.update(endpoint=f"http://{other.address}")
    row = Destination.objects.get()
    with pytest.raises(TokenElsewhere):
        open_sink(row, "project", "bucket")
    with pytest.raises(TokenElsewhere):
        list_buckets(row, deadline=1)
    assert (own.seen, other.seen) == (0, 0)


def test_the_page_of_a_row_that_was_changed_in_the_database_names_the_required_action(
    destination, integration, other, admin
):
    Destination.objects.filter(pk=destination.pk).update(endpoint=f"http://{other.address}")
    Integration.objects.update(endpoint=f"https://{other.address}")
    assert "enter the token again" in admin.get(reverse("destination", args=[destination.pk])).text
    assert "enter the secret again" in admin.get(reverse("integration", args=[integration.pk])).text


# ---- rows of an older version ---------------------------------------------------------------------------------------


def test_the_migration_binds_stored_secrets_without_the_encryption_key(integration, destination, settings):
    from importlib import import_module

    from django.apps import apps

    Integration.objects.update(bindings={})
    Destination.objects.update(bindings={})
    keys, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, []
    import_module("integrations.migrations.0002_squashed").bind(apps, None)
    settings.ENCRYPTION_KEYS = keys
    assert Integration.objects.get().opened("client_secret") == SECRET
    assert Destination.objects.get(pk=destination.pk).opened("token") == SECRET
    assert list(Integration.objects.get().bindings) == ["client_secret"]


def test_a_secret_from_the_database_does_not_count_as_newly_entered(destination):
    assert not Destination.objects.get().token.is_new
    assert not destination.token.is_new
    assert Secret.sealed("x").is_new
