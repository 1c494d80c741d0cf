"""Adding an integration step by step: what is typed is tried before it is saved, and each step leads to the next."""

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


def test_what_is_in_the_form_is_tried_and_nothing_is_saved(admin, closed_port):
    answer = try_(admin, endpoint=closed_port, test_address="desk@bank.example", project="", name="")
    assert "cannot be reached" in answer
    assert "<b>Port</b>" in answer
    assert VALID["password"] not in answer
    assert Integration.objects.count() == 0


def test_a_field_that_is_wrong_is_named_before_anything_is_asked(admin):
    assert "Endpoint: " in try_(admin, endpoint="nowhere at all")
    assert "Enter a mailbox to test with" in try_(admin)


def test_a_secret_that_is_not_typed_is_the_one_that_is_stored(admin, closed_port):
    stored = factories.IntegrationFactory(password=SECRET, endpoint=closed_port)
    sent = {"integration": stored.pk, "password": "", "endpoint": closed_port, "username": "another"}
    answer = try_(admin, **sent, test_address="desk@bank.example")
    assert "cannot be reached" in answer
    stored.refresh_from_db()
    assert stored.username != "another"


def test_a_destination_is_tried_before_it_is_saved(admin, closed_port):
    sent = {"name": "Production", "endpoint": closed_port.replace("https", "http"), "token": SECRET}
    answer = admin.post(reverse("destination-try"), sent, headers={"HX-Request": "true"}).text
    assert "<b>Address</b>" in answer
    assert SECRET not in answer
    assert Destination.objects.count() == 0


def test_each_step_leads_to_the_next(admin):
    to_mailboxes = create(admin)["Location"]
    assert to_mailboxes.endswith("/mailboxes/new/?setup=1")
    page = admin.get(to_mailboxes)
    to_destination = f"{reverse('destination-new')}?for={Integration.objects.get().pk}"
    assert to_destination in page.text
    sent = {"name": "Production", "endpoint": "https://reinfer.example", "token": SECRET}
    assert admin.post(to_destination, sent)["Location"] == to_mailboxes
    assert "Paste a list or upload a CSV file instead" in admin.get(to_mailboxes).text
    new = {"address": "desk@bank.example", "bucket_choice": "new", "destination": Destination.objects.get().pk}
    answer = admin.post(to_mailboxes, {**new, "bucket_there": "bank/desks"})
    assert answer["Location"] == reverse("integration-ready", args=[Integration.objects.get().pk])
    assert "bank/desks" in admin.get(answer["Location"]).text


def test_exchange_online_needs_neither_an_endpoint_nor_a_choice_of_sign_in(admin):
    app = {"tenant_id": "t", "client_id": "c", "client_secret": SECRET}
    create(admin, kind="online", endpoint="", **app)
    made = Integration.objects.get()
    assert (made.auth, made.endpoint) == ("oauth2", "https://outlook.office365.com/EWS/Exchange.asmx")
    assert admin.get(reverse("integration-edit", args=[made.pk])).context["form"].initial["kind"] == "online"


def test_what_cannot_be_asked_says_so(admin, closed_port):
    mailbox = factories.MailboxFactory(integration__endpoint=closed_port)
    for name, pk in (("mailbox-cost", mailbox.pk), ("integration-cost", mailbox.integration_id)):
        answer = admin.post(reverse(name, args=[pk]), headers={"HX-Request": "true"}).text
        assert "cannot be reached" in answer, name
    destination = factories.DestinationFactory(endpoint=closed_port.replace("https", "http"))
    answer = admin.post(reverse("destination-buckets"), {"destination": destination.pk})
    assert "Re:infer cannot be reached" in answer.text


def test_an_integration_that_was_stopped_while_a_sync_runs_says_that_it_is_stopping(admin):
    state = factories.MailboxStateFactory(
        lease_until=timezone.now() + timedelta(minutes=1), mailbox__integration__stopped=True
    )
    assert "Stopping" in admin.get(reverse("mailbox", args=[state.pk])).text


def test_before_the_start_each_bucket_can_be_given_a_limit_or_its_limit_be_changed(admin):
    integration = factories.IntegrationFactory()
    for limit in (None, 0):
        factories.MailboxFactory(integration=integration, bucket__monthly_limit=limit)
    page = admin.get(reverse("integration-ready", args=[integration.pk])).text
    assert (page.count(">Set a limit<"), page.count(">Change the limit<"), page.count("at most ")) == (1, 1, 1)
    assert page.index('class="wizard"') < page.index("<h1>")
