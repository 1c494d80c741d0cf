"""Buttons take effect at once, show a sentence, and lead back to the page that they were on."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse
from django.utils import timezone

from access.models import AuditEntry
from integrations.errors import BudgetReached, QuotaReached
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from tests import factories


@pytest.fixture
def mailbox(db) -> Mailbox:
    return factories.MailboxStateFactory().mailbox


def press(client, name, pk, **data):
    return client.post(reverse(name, args=[pk]), data, follow=True)


def test_stop_and_start_of_an_integration_take_effect_and_show_a_sentence(admin, mailbox):
    pk = mailbox.integration_id
    assert "is stopped" in press(admin, "integration-stop", pk).text
    assert Integration.objects.get(pk=pk).disabled_reason == "user"
    assert "is running" in press(admin, "integration-start", pk).text
    assert Integration.objects.get(pk=pk).enabled


def test_pressing_twice_is_the_same_as_pressing_once(admin, mailbox):
    for _ in range(2):
        assert press(admin, "integration-stop", mailbox.integration_id).status_code == 200
        assert press(admin, "mailbox-stop", mailbox.pk).status_code == 200
    assert not Mailbox.objects.get(pk=mailbox.pk).enabled


def test_start_closes_the_circuit_breaker_that_a_refused_sign_in_opened(admin, mailbox):
    held = {"held_since": timezone.now(), "held_until": timezone.now() + timedelta(minutes=9), "held_kind": "x"}
    Integration.objects.filter(pk=mailbox.integration_id).update(
        **held, held_detail="Exchange refused these credentials."
    )
    page = admin.get(reverse("integration", args=[mailbox.integration_id])).text
    assert "Exchange refused these credentials. Next try at" in page
    assert reverse("integration-start", args=[mailbox.integration_id]) in page
    press(admin, "integration-start", mailbox.integration_id)
    assert not Integration.objects.get(pk=mailbox.integration_id).is_held


def test_a_full_resync_is_requested_for_the_next_sync(admin, mailbox):
    assert "listed again" in press(admin, "mailbox-list-again", mailbox.pk).text
    mailbox.state.refresh_from_db()
    assert mailbox.state.list_again


def test_sync_now_of_a_stopped_mailbox_says_what_to_do_first(admin, mailbox):
    press(admin, "mailbox-stop", mailbox.pk)
    assert "Start it first" in press(admin, "mailbox-sync-now", mailbox.pk).text


def test_a_dismissed_email_is_no_longer_shown(admin, db):
    email = factories.DeadLetterFactory(reason="Re:infer refused this comment.")
    address = reverse("mailbox", args=[email.mailbox_id])
    assert email.reason in admin.get(address).text
    press(admin, "set-aside-dismiss", email.pk)
    email.refresh_from_db()
    assert email.settled == "dismissed"
    assert email.reason not in admin.get(address).text


def test_a_button_leads_back_to_its_page_but_never_to_another_site(admin, mailbox):
    page_url = reverse("overview")
    response = admin.post(reverse("mailbox-stop", args=[mailbox.pk]), {"next": page_url})
    assert response["Location"] == page_url
    response = admin.post(reverse("mailbox-stop", args=[mailbox.pk]), {"next": "https://evil.example/"})
    assert response["Location"] == reverse("mailbox", args=[mailbox.pk])


def test_a_button_pressed_by_htmx_returns_the_live_part_and_the_message(admin, mailbox):
    page_url = reverse("integration", args=[mailbox.integration_id])
    response = admin.post(
        reverse("mailbox-stop", args=[mailbox.pk]), {"next": page_url}, headers={"HX-Request": "true"}, follow=True
    )
    assert 'id="messages"' in response.text
    assert "is stopped" in response.text
    assert "<html" not in response.text


def test_the_error_of_a_failed_test_is_shown_next_to_its_button(admin, db):
    integration = factories.IntegrationFactory()
    response = admin.post(reverse("integration-test", args=[integration.pk]), headers={"HX-Request": "true"})
    assert "Add a mailbox first" in response.text
    assert "<html" not in response.text
    assert "Add a mailbox first" in press(admin, "integration-test", integration.pk).text


def test_a_test_with_a_secret_that_no_key_decrypts_reports_this(admin, settings, mailbox):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    pk = mailbox.bucket.destination_id
    text = press(admin, "destination-test", pk).text
    assert "cannot be decrypted" in text


def test_deleting_an_integration_asks_first_and_then_deletes_its_mailboxes(admin, mailbox):
    address = reverse("integration-delete", args=[mailbox.integration_id])
    assert "Comments at Re:infer stay" in admin.get(address).text
    assert Mailbox.objects.exists()
    assert "is deleted" in admin.post(address, follow=True).text
    assert not Mailbox.objects.exists()


def test_deleting_a_mailbox_keeps_the_ledger_of_its_bucket(admin, mailbox):
    entry = factories.LedgerEntryFactory(bucket=mailbox.bucket, winner_mailbox=mailbox)
    admin.post(reverse("mailbox-delete", args=[mailbox.pk]))
    entry.refresh_from_db()
    assert entry.winner_mailbox is None


def test_a_destination_that_mailboxes_send_to_is_not_deleted(admin, mailbox):
    address = reverse("destination-delete", args=[mailbox.bucket.destination_id])
    assert "delete them first" in admin.get(address).text
    assert "still send" in admin.post(address, follow=True).text
    mailbox.delete()
    admin.post(address)
    assert not Bucket.objects.exists()


def test_a_refused_action_is_shown_as_an_error(rf, db):
    from django.contrib.messages import ERROR, SUCCESS
    from django.contrib.messages.storage.cookie import CookieStorage

    from operations.results import ActionRefused
    from tests.factories import AdminFactory
    from web.integrations.responses import redirect_back

    for sentence, level in (("Done.", SUCCESS), (ActionRefused("The queue cannot be reached."), ERROR)):
        request = rf.post("/")
        request.user, request.resolver_match = AdminFactory(), None
        request._messages = CookieStorage(request)
        redirect_back(request, sentence, "/")
        assert [message.level for message in request._messages] == [level]


def test_a_bucket_at_its_limit_is_named_on_the_overview_beside_the_button(admin):
    bucket = factories.MailboxFactory(bucket__monthly_limit=1).bucket
    factories.LedgerEntryFactory(bucket=bucket)
    problem = admin.get(reverse("overview")).text.partition("Limit reached")[2].partition("</li>")[0]
    assert f"Bucket <bdi>{bucket}</bdi>" in problem
    assert reverse("bucket-edit", args=[bucket.pk]) in problem.partition('class="actions"')[2]


@pytest.mark.parametrize("tab", ["", "part/connection/", "part/errors/", "part/history/", "part/json/"])
def test_start_and_stop_return_the_live_part_on_every_tab_of_an_integration(admin, mailbox, tab):
    page_url = f"{reverse('integration', args=[mailbox.integration_id])}{tab}"
    page = admin.get(page_url).text
    stop = reverse("integration-stop", args=[mailbox.integration_id])
    target = re.search(rf'hx-post="{stop}" hx-target="#([a-z]+)"', page)[1]
    assert f'id="{target}" hx-get="{page_url}"' in page
    response = admin.post(stop, {"next": page_url}, headers={"HX-Request": "true"}, follow=True).text
    assert "<html" not in response
    assert response.count(f'id="{target}" hx-get="{page_url}"') == 1
    assert re.search(r'id="state".*Stopped', response, re.DOTALL)
    assert "is stopped" in response.partition('id="messages"')[2]
    assert reverse("integration-start", args=[mailbox.integration_id]) in response


def test_every_htmx_target_of_a_live_page_exists_on_this_page(admin, mailbox):
    pk = mailbox.integration_id
    urls = [reverse(name) for name in ("overview", "integrations", "runs", "set-aside")]
    urls += [reverse("integration", args=[pk]), reverse("mailbox", args=[mailbox.pk])]
    urls += [reverse("integration-tab", args=[pk, name]) for name in ("connection", "errors", "history", "json")]
    for url in urls:
        page = admin.get(url).text
        places = set(re.findall(r'hx-target="#([^"]+)"', page))
        assert places <= set(re.findall(r'\bid="([^"]+)"', page)), url


@pytest.fixture
def stopped(db) -> Bucket:
    """A bucket with a mailbox for each reason to be stopped, and a stopped mailbox of another bucket."""
    bucket = factories.BucketFactory()
    for address, reason, kind in (
        ("error@corp.example", "sync_error", "reinfer_token_refused"),
        ("quota@corp.example", "quota", QuotaReached.kind),
        ("limit@corp.example", "quota", BudgetReached.kind),
        ("person@corp.example", "user", ""),
    ):
        mailbox = factories.MailboxFactory(
            bucket=bucket, address=address, enabled=False, disabled_reason=reason, disabled_kind=kind
        )
        factories.MailboxStateFactory(mailbox=mailbox, failures=3)
    other = factories.BucketFactory(destination=bucket.destination)
    factories.MailboxFactory(bucket=other, address="z@corp.example", enabled=False, disabled_reason="sync_error")
    return bucket


def running() -> list[str]:
    return sorted(Mailbox.objects.filter(enabled=True).values_list("address", flat=True))


def test_one_button_starts_what_an_error_or_the_quota_stopped_in_a_bucket_and_nothing_else(admin, stopped):
    page = admin.get(reverse("destination", args=[stopped.destination_id])).text
    row = page.partition(reverse("bucket-start-stopped", args=[stopped.pk]))[2].partition("</li>")[0]
    assert "Start the 2 stopped mailboxes" in row
    text = press(admin, "bucket-start-stopped", stopped.pk).text
    assert "2 mailboxes are started." in text
    assert running() == ["error@corp.example", "quota@corp.example"]
    assert not Mailbox.objects.filter(enabled=True, state__failures__gt=0).exists()
    assert AuditEntry.objects.get().about == "bucket"


def test_one_button_starts_the_stopped_mailboxes_of_a_destination_and_closes_its_circuit_breaker(admin, stopped):
    held = {"held_since": timezone.now(), "held_until": timezone.now(), "held_kind": "reinfer_token_refused"}
    type(stopped.destination).objects.update(**held)
    page = admin.get(reverse("destination", args=[stopped.destination_id])).text
    assert "Start the 3 stopped mailboxes" in page
    press(admin, "destination-start-stopped", stopped.destination_id)
    assert running() == ["error@corp.example", "quota@corp.example", "z@corp.example"]
    stopped.destination.refresh_from_db()
    assert not stopped.destination.is_held
    assert "stopped mailboxes" not in admin.get(reverse("destination", args=[stopped.destination_id])).text
    assert "No mailbox of" in press(admin, "destination-start-stopped", stopped.destination_id).text


def test_a_bucket_that_refused_too_many_emails_stays_paused_until_resume(admin, stopped):
    held = {"held_since": timezone.now(), "held_until": timezone.now(), "held_kind": "too_many_refused"}
    Bucket.objects.filter(pk=stopped.pk).update(**held)
    press(admin, "bucket-start-stopped", stopped.pk)
    stopped.refresh_from_db()
    assert stopped.is_held


def test_the_sentence_counts_started_mailboxes_whose_integration_is_stopped(admin, stopped):
    Integration.objects.filter(mailboxes__address="error@corp.example").update(enabled=False, disabled_reason="user")
    text = press(admin, "bucket-start-stopped", stopped.pk).text
    assert "1 of them will sync as soon as their integration is started." in text


def test_after_a_new_token_is_saved_the_page_shows_how_many_mailboxes_are_stopped(admin, stopped):
    url = reverse("destination-edit", args=[stopped.destination_id])
    form = {"name": "Tenant", "endpoint": "https://reinfer.example/t/reinfer_", "token": "new"}
    seen = re.search(r'name="seen" value="([^"]*)"', admin.get(url).text)
    response = admin.post(url, form | ({"seen": seen[1]} if seen else {}), follow=True).text
    assert "3 mailboxes are still stopped. Start them with the button below." in response
