"""Adding an integration step by step: values are tested before they are saved, and each step leads to the next."""

import socket
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.models import Destination, Integration
from tests import factories
from tests.web.test_integration_form import VALID, create

SECRET = "a-password-nobody-may-read"


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"https://127.0.0.1:{port}/EWS/Exchange.asmx"


def try_(admin, **fields):
    return admin.post(reverse("integration-try"), {**VALID, **fields}, headers={"HX-Request": "true"}).text


def test_the_values_in_the_form_are_tested_and_not_saved(admin, closed_port):
    response = try_(admin, endpoint=closed_port, test_address="desk@bank.example", project="", name="")
    assert "cannot be reached" in response
    assert "<b>Port</b>" in response
    assert VALID["password"] not in response
    assert Integration.objects.count() == 0


def test_an_invalid_field_is_named_before_a_connection_is_made(admin):
    assert "Endpoint: " in try_(admin, endpoint="nowhere at all")
    assert "Enter the address of a mailbox next to the button" in try_(admin)


def test_an_empty_secret_field_stands_for_the_stored_secret(admin, closed_port):
    stored = factories.IntegrationFactory(password=SECRET, endpoint=closed_port)
    values = {"integration": stored.pk, "password": "", "endpoint": closed_port, "username": "another"}
    response = try_(admin, **values, test_address="desk@bank.example")
    assert "cannot be reached" in response
    stored.refresh_from_db()
    assert stored.username != "another"


def test_a_destination_is_tested_before_it_is_saved(admin, closed_port):
    values = {"name": "Production", "endpoint": closed_port.replace("https", "http"), "token": SECRET}
    response = admin.post(reverse("destination-try"), values, headers={"HX-Request": "true"}).text
    assert "<b>Address</b>" in response
    assert SECRET not in response
    assert Destination.objects.count() == 0


def test_each_step_leads_to_the_next(admin):
    to_mailboxes = create(admin)["Location"]
    assert to_mailboxes.endswith("/mailboxes/new/?setup=1")
    page = admin.get(to_mailboxes)
    to_destination = f"{reverse('destination-new')}?for={Integration.objects.get().pk}"
    assert to_destination in page.text
    values = {"name": "Production", "endpoint": "https://reinfer.example", "token": SECRET}
    assert admin.post(to_destination, values)["Location"] == to_mailboxes
    assert "Paste a list or upload a CSV file instead" in admin.get(to_mailboxes).text
    new = {"address": "desk@bank.example", "bucket_choice": "new", "destination": Destination.objects.get().pk}
    response = admin.post(to_mailboxes, {**new, "bucket_there": "bank/desks"})
    assert response["Location"] == reverse("integration-ready", args=[Integration.objects.get().pk])
    assert "bank/desks" in admin.get(response["Location"]).text


def test_exchange_online_needs_neither_an_endpoint_nor_a_choice_of_sign_in(admin):
    app = {"tenant_id": "t", "client_id": "c", "client_secret": SECRET}
    create(admin, kind="online", endpoint="", **app)
    integration = Integration.objects.get()
    assert (integration.auth, integration.endpoint) == ("oauth2", "https://outlook.office365.com/EWS/Exchange.asmx")
    assert admin.get(reverse("integration-edit", args=[integration.pk])).context["form"].initial["kind"] == "online"


def test_an_unreachable_service_is_reported(admin, closed_port):
    mailbox = factories.MailboxFactory(integration__endpoint=closed_port)
    for name, pk in (("mailbox-cost", mailbox.pk), ("integration-cost", mailbox.integration_id)):
        response = admin.post(reverse(name, args=[pk]), headers={"HX-Request": "true"}).text
        assert "cannot be reached" in response, name
    destination = factories.DestinationFactory(endpoint=closed_port.replace("https", "http"))
    response = admin.post(reverse("destination-buckets"), {"destination": destination.pk})
    assert "Re:infer cannot be reached" in response.text


def test_the_page_of_a_mailbox_shows_stopping_if_its_integration_was_stopped_during_a_sync(admin):
    state = factories.MailboxStateFactory(
        lease_until=timezone.now() + timedelta(minutes=1), mailbox__integration__stopped=True
    )
    assert "Stopping" in admin.get(reverse("mailbox", args=[state.pk])).text


def test_before_the_start_the_limit_of_each_bucket_can_be_set_or_changed(admin):
    integration = factories.IntegrationFactory()
    for limit in (None, 0):
        factories.MailboxFactory(integration=integration, bucket__monthly_limit=limit)
    page = admin.get(reverse("integration-ready", args=[integration.pk])).text
    assert (page.count(">Set a limit<"), page.count(">Change the limit<"), page.count("at most ")) == (1, 1, 1)
    assert page.index('class="wizard"') < page.index("<h1>")
