"""Every page renders with and without data, has the strict content security policy, requires a log-in, and shows no secret."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.engine.filter_digest import wanted_digest
from sync.jobs import housekeeping
from sync.models import MailboxState, SyncedFolder
from tests import factories
from web.integrations.integration_pages import TABS

EVIL = "<img src=x onerror=alert(1)>{{ 7|add:7 }}\u202eexe"
SECRETS = ("a-password-nobody-may-read", "a-token-nobody-may-read")


@pytest.fixture
def everything(db):
    """Create one object of each kind. Names and texts that come from Exchange or Re:infer are hostile."""
    folder = factories.SyncedFolderFactory(name=EVIL, path=["Inbox", EVIL])
    mailbox = folder.mailbox
    factories.MailboxStateFactory(mailbox=mailbox, failures=2, error_kind="x", error_text=f"Failed with {EVIL}")
    set_aside = factories.DeadLetterFactory(folder=folder, reason=f"Refused {EVIL}")
    factories.SyncRunFactory(mailbox=mailbox, outcome="failed", error_text=f"Failed with {EVIL}")
    factories.MailboxItemFactory(folder=folder)
    mailbox.bucket.held_until = timezone.now() + timedelta(minutes=5)
    mailbox.bucket.held_detail = EVIL
    mailbox.bucket.save()
    return {
        "integration": mailbox.integration_id,
        "destination": mailbox.bucket.destination_id,
        "mailbox": mailbox.pk,
        "bucket": mailbox.bucket_id,
        "set-aside": set_aside.pk,
    }


def pages(rows):
    """Yield the URLs of the pages that these tests open. `BUTTONS` has the URLs of buttons."""
    yield from (reverse(name) for name in ("overview", "runs", "set-aside", "integrations", "destinations"))
    yield from (reverse(f"newly-wanted{verb}") for verb in ("", "-bring", "-leave"))
    yield from (reverse(name) for name in ("integration-new", "destination-new"))
    yield reverse("mailbox-new", args=[rows["integration"]])
    yield reverse("integration-import")
    yield from (reverse(f"integration-{name}", args=[rows["integration"]]) for name in ("ready", "switch"))
    yield from (reverse("integration-tab", args=[rows["integration"], name]) for name, _ in TABS[1:])
    yield f"{reverse('runs')}?show=all&mailbox={rows['mailbox']}"
    for kind in ("integration", "destination", "mailbox"):
        yield from (reverse(name, args=[rows[kind]]) for name in (kind, f"{kind}-edit", f"{kind}-delete"))


BUTTONS = (
    *(("integration", f"integration-{verb}") for verb in ("start", "stop", "test", "cost")),
    *(
        ("mailbox", f"mailbox-{verb}")
        for verb in (
            "start",
            "stop",
            "sync-now",
            "list-again",
            "retry",
            "verify",
            "verify-stop",
            "repair",
            "cost",
            "filter-preview",
        )
    ),
    *(("set-aside", f"set-aside-{verb}") for verb in ("retry", "retry-like", "dismiss")),
    *(("bucket", f"bucket-{verb}") for verb in ("test", "create", "resume", "accept", "start-stopped")),
    *(("destination", f"destination-{verb}") for verb in ("test", "start-stopped")),
)


def test_every_url_name_that_begins_with_a_kind_of_row_is_listed_in_these_tests(everything):
    ours = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    kinds = ("integration", "destination", "mailbox")
    looked_at = {
        "overview",
        "runs",
        "preview",
        "set-aside",
        "set-aside-preview",
        "set-aside-retry-shown",
        "mailbox-many",
        "mailbox-send-again",
        "bucket-edit",
        "integration-select",
        "integration-switch",
        "integration-tab",
        "integration-ready",
        "integration-import",
        "integration-export",
        "integration-try",
        "destination-try",
        "destination-buckets",
        "errors",
        "integrations",
        "destinations",
        "login",
        "logout",
    }
    looked_at |= {f"{kind}{verb}" for kind in kinds for verb in ("", "-new", "-edit", "-delete")}
    unknown = ours - looked_at - {name for _, name in BUTTONS}
    assert not {name for name in unknown if name.split("-")[0] in {*kinds, "bucket", "set", "run", "sync"}}


def test_every_page_answers_under_the_strict_policy_and_shows_neither_markup_of_others_nor_a_secret(admin, everything):
    for address in pages(everything):
        response = admin.get(address)
        text = response.content.decode()
        assert response.status_code == 200, address
        policy = response["Content-Security-Policy"]
        assert "default-src 'self'" in policy, address
        assert "unsafe" not in policy, address
        assert "<img src=x" not in text, address
        assert not any(secret in text for secret in SECRETS), address
        assert not any(inline in text for inline in ("<style", " style=", "<script>", " onclick=")), address
    assert "&lt;img src=x onerror=alert(1)&gt;" in admin.get(reverse("mailbox", args=[everything["mailbox"]])).text


def test_every_page_answers_while_there_is_nothing_yet(admin):
    for name in ("overview", "runs", "set-aside", "integrations", "destinations", "integration-new", "destination-new"):
        assert admin.get(reverse(name)).status_code == 200
    assert "Add a destination" in admin.get(reverse("overview")).text


def test_every_page_redirects_unauthenticated_users_to_the_log_in_page(anonymous, everything):
    for address in pages(everything):
        assert anonymous.get(address)["Location"].startswith(reverse("login")), address
    for kind, name in BUTTONS:
        address = reverse(name, args=[everything[kind]])
        assert anonymous.post(address)["Location"].startswith(reverse("login")), address


def test_buttons_refuse_get_requests(admin, everything):
    for kind, name in BUTTONS:
        assert admin.get(reverse(name, args=[everything[kind]])).status_code == 405, name


def test_a_button_needs_the_csrf_token(everything):
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.AdminFactory())
    response = client.post(reverse("integration-stop", args=[everything["integration"]]))
    assert response.status_code == 403
    assert "This page has expired" in response.text


def test_pages_that_are_missing_keep_the_policy_and_say_where_to_go(admin):
    response = admin.get("/nothing/")
    assert response.status_code == 404
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "To the overview" in response.text


def test_the_page_for_status_500_needs_no_context():
    assert "this error does not stop them" in render_to_string("500.html")


def test_a_live_page_gives_only_its_live_part_to_htmx(admin, everything):
    for name, args in (
        ("overview", []),
        ("runs", []),
        ("integrations", []),
        ("integration", [everything["integration"]]),
    ):
        response = admin.get(reverse(name, args=args), headers={"HX-Request": "true"})
        assert 'id="live"' in response.text
        assert "<html" not in response.text


def test_a_live_page_is_reloaded_after_its_session_ended(anonymous):
    response = anonymous.get(reverse("login"), headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"


def test_the_records_in_djangos_admin_can_be_read_but_not_changed_and_show_no_secret(admin, everything):
    for model in ("integrations_integration", "integrations_destination", "mailboxes_mailbox", "sync_syncrun"):
        assert admin.get(reverse(f"admin:{model}_changelist")).status_code == 200
        assert admin.get(reverse(f"admin:{model}_add")).status_code == 403
    for model, pk in (("integration", everything["integration"]), ("destination", everything["destination"])):
        text = admin.get(reverse(f"admin:integrations_{model}_change", args=[pk])).text
        assert "assword" not in text.split('id="content"')[1]
        assert "Secret" not in text
        assert "gAAAA" not in text


def test_a_page_of_many_mailboxes_takes_few_queries(admin, everything, django_assert_max_num_queries):
    integration = factories.IntegrationFactory()
    bucket = factories.BucketFactory()
    for _ in range(60):
        mailbox = factories.MailboxFactory(integration=integration, bucket=bucket)
        factories.MailboxStateFactory(mailbox=mailbox)
    housekeeping.record_tick("dispatch", timezone.now())
    for address in (reverse("integration", args=[integration.pk]), reverse("overview")):
        with django_assert_max_num_queries(32):
            admin.get(address)


def test_the_error_that_pauses_an_integration_is_shown_once_on_its_page(admin):
    held = {"held_until": timezone.now() + timedelta(minutes=5), "held_detail": "Exchange refused these credentials."}
    integration = factories.IntegrationFactory(**held)
    factories.MailboxFactory.create_batch(3, integration=integration)
    assert admin.get(reverse("integration", args=[integration.pk])).text.count("Exchange refused") == 1


def test_a_mailbox_page_says_how_far_the_pass_over_its_folders_is(admin, everything):
    mailbox = Mailbox.objects.get(pk=everything["mailbox"])
    url = reverse("mailbox", args=[mailbox.pk])
    digest = wanted_digest(mailbox.rules(), bucket=f"{mailbox.bucket_id}", address=mailbox.address)
    Integration.objects.update(enabled=True)
    mailbox.folders.all().delete()
    for number in range(61):
        values = {"up_to_date": True, "wanted_digest": digest, "turn": 3 if number < 26 else 2}
        SyncedFolder.objects.create(
            mailbox=mailbox, folder_id=str(number), path=[str(number)], kind="ordinary", **values
        )
    MailboxState.objects.update_or_create(mailbox=mailbox, defaults={"up_to_date": False, "pass_began": 3, "round": 3})
    assert "Folders: 26 of 61 in this pass." in admin.get(url).text
    MailboxState.objects.update(up_to_date=True)
    assert "in this pass" not in admin.get(url).text
