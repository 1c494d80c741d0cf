"""The form of a mailbox: its bucket, chosen or new, and its filters as lines."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mailboxes.filter_text import format_path, parse_path
from mailboxes.models import Bucket, Mailbox
from tests import factories


@pytest.fixture
def integration(db):
    return factories.IntegrationFactory()


def add(client, integration, **sent):
    data = {"address": "trades@corp.example", **sent}
    return client.post(reverse("mailbox-new", args=[integration.pk]), data)


def new_bucket(**changed):
    destination = factories.DestinationFactory()
    fields = {"destination": destination.pk, "bucket_project": "operations", "bucket_name": "trades"}
    return {"bucket_choice": "new", **fields, **changed}


def test_a_mailbox_is_added_with_an_existing_bucket(admin, integration):
    bucket = factories.BucketFactory()
    assert add(admin, integration, bucket_choice=bucket.pk).status_code == 302
    assert Mailbox.objects.get().bucket == bucket


def test_a_mailbox_is_added_with_a_new_bucket_which_is_created_once(admin, integration):
    sent = new_bucket()
    add(admin, integration, **sent)
    add(admin, integration, **{**sent, "address": "second@corp.example"})
    assert Bucket.objects.count() == 1
    assert Mailbox.objects.count() == 2


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"bucket_name": "operations/trades"}, "must not contain a slash"),
        ({"bucket_project": "operations/trades"}, "must not contain a slash"),
        ({"bucket_name": "tråds"}, "letters without accents"),
        ({"bucket_name": ""}, "Enter the name of the bucket"),
        ({"destination": ""}, "Choose the destination"),
        ({"address": "no address"}, "valid email address"),
        ({"domain_deny": "fine.example\nnot a domain"}, "“not a domain” is not a domain"),
        ({"participant_allow": "someone"}, "“someone” is not an email address"),
    ],
)
def test_invalid_values_are_refused_with_a_text(admin, integration, changed, expected):
    response = add(admin, integration, **new_bucket(**changed))
    assert expected in response.text
    assert not Mailbox.objects.exists()


def test_an_address_is_unique_in_an_integration_regardless_of_case(admin, integration):
    bucket = factories.BucketFactory()
    add(admin, integration, bucket_choice=bucket.pk)
    assert "already" in add(admin, integration, bucket_choice=bucket.pk, address="TRADES@corp.example").text


def test_filters_are_stored_for_the_rules_and_shown_as_they_were_entered(admin, integration):
    sent = {
        "folder_allow": "Inbox/Trades\n\n  Archive/A\\/B  \nInbox/Trades",
        "participant_deny": "Boss@Corp.example",
        "domain_allow": ".example.com",
        "meetings": "on",
    }
    add(admin, integration, **new_bucket(), **sent)
    mailbox = Mailbox.objects.get()
    assert mailbox.folder_allow == [["Inbox", "Trades"], ["Archive", "A/B"]]
    assert mailbox.participant_deny == ["boss@corp.example"]
    assert mailbox.domain_allow == [".example.com"]
    assert mailbox.meetings
    page = admin.get(reverse("mailbox-edit", args=[mailbox.pk])).text
    assert "Inbox/Trades\nArchive/A\\/B</textarea>" in page


def test_saving_without_a_change_writes_nothing(admin, integration):
    add(admin, integration, **new_bucket(), folder_allow="Inbox", start_at="2026-01-02T03:04:05")
    before = Mailbox.objects.get()
    assert before.start_at.isoformat() == "2026-01-02T03:04:05+00:00"
    address = reverse("mailbox-edit", args=[before.pk])
    form = admin.get(address).context["form"]
    sent = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    sent["start_at"] = "2026-01-02T03:04:05"
    admin.post(address, sent)
    assert Mailbox.objects.get().updated_at == before.updated_at
    admin.post(address, {**sent, "folder_allow": "Inbox\nArchive"})
    assert Mailbox.objects.get().folder_allow == [["Inbox"], ["Archive"]]


def test_the_bucket_of_a_mailbox_can_be_changed(admin, integration):
    mailbox, other = factories.MailboxFactory(integration=integration), factories.BucketFactory()
    address = reverse("mailbox-edit", args=[mailbox.pk])
    seen = admin.get(address).context["form"].initial["seen"]
    admin.post(address, {"address": mailbox.address, "bucket_choice": other.pk, "seen": seen})
    mailbox.refresh_from_db()
    assert mailbox.bucket == other


def test_the_form_shows_which_folders_are_skipped_by_default(admin, integration):
    factories.DestinationFactory()
    text = admin.get(reverse("mailbox-new", args=[integration.pk])).text
    for name in ("Drafts", "Junk Email", "Deleted Items", "RSS Feeds"):
        assert name in text


def test_without_a_destination_the_form_asks_for_one_first(admin, integration):
    assert "Add a destination first" in admin.get(reverse("mailbox-new", args=[integration.pk])).text


@pytest.mark.parametrize("names", [["Inbox"], ["A/B", "C\\D"], ["\\", "/"], ["Ångström & Søn", "x"]])
def test_a_formatted_path_is_parsed_to_the_same_names(names):
    assert parse_path(format_path(names)) == names


def test_surplus_slashes_in_a_path_are_ignored():
    assert parse_path("/Inbox//Trades/") == ["Inbox", "Trades"]
