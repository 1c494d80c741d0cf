"""The problems on the overview: their number, their time, and the button that helps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import errors
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.errors import Scope
from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.jobs import housekeeping, outcome
from sync.jobs.activity import hour_of
from sync.jobs.slow_conversions import MANY
from sync.models import Activity, Comparison, MailboxState, MailDay, PollRate
from sync.reporting import alerts
from tests import factories

NOT_FOUND = errors.MailboxNotFound.kind
BUSY = {"failures": 1, "error_kind": "exchange_busy", "error_text": str(errors.ExchangeBusy())}


@pytest.fixture
def integration(db):
    return factories.IntegrationFactory()


def mailboxes(integration, count, **state):
    bucket = factories.BucketFactory()
    rows = [factories.MailboxFactory(integration=integration, bucket=bucket) for _ in range(count)]
    for row in rows:
        factories.MailboxStateFactory(mailbox=row, **state)
    return rows


def current_problems():
    return alerts.problems(timezone.now())


def press(admin, page, act):
    """Submit the form on the page that runs this action on many mailboxes, as a browser does."""
    form = next(part for part in page.split("<form")[1:] if f'name="act" value="{act}"' in part)
    action = form.split('action="')[1].split('"')[0].replace("&amp;", "&")
    return admin.post(action, {"act": act, "all": "shown", "next": "/"}, follow=True).text


def test_mailboxes_disabled_for_one_reason_are_one_problem_with_the_time_of_the_disabling(integration):
    rows = mailboxes(integration, 40)
    now = timezone.now()
    Mailbox.objects.update(updated_at=now - timedelta(days=90))
    outcome._suspend(rows[0], Scope.DESTINATION, "sync_error", errors.ReinferTokenRefused(), now)
    outcome._suspend(rows[0], Scope.BUCKET, "sync_error", errors.ReinferTokenRefused(), now - timedelta(hours=1))
    (problem,) = current_problems()
    assert (problem.about, problem.count, problem.since) == ("mailboxes", 40, now)
    assert (problem.kind, problem.title) == ("reinfer_token_refused", "Stopped by an error")


def test_disabling_an_integration_sets_the_time_of_its_problem_and_not_updated_at(integration):
    (row,) = mailboxes(integration, 1)
    Integration.objects.update(updated_at=timezone.now() - timedelta(days=90))
    before = Integration.objects.get().updated_at
    now = timezone.now()
    outcome._suspend(row, Scope.CONNECTION, "sync_error", errors.ClientSecretExpired("AADSTS7000222"), now)
    (problem,) = current_problems()
    assert (problem.about, problem.since, problem.kind) == ("integration", now, "client_secret_expired")
    assert Integration.objects.get().updated_at == before


def test_a_disabled_mailbox_links_to_the_explanation_of_its_error(admin, integration):
    factories.MailboxFactory(
        integration=integration, enabled=False, disabled_reason="sync_error", disabled_kind=NOT_FOUND
    )
    assert f'href="{reverse("errors")}#mailbox_not_found"' in admin.get("/").text


def test_start_all_starts_only_the_mailboxes_that_this_error_stopped(admin, integration):
    bad = {"enabled": False, "disabled_reason": "sync_error"}
    mine = [factories.MailboxFactory(integration=integration, disabled_kind=NOT_FOUND, **bad) for _ in range(3)]
    other = factories.MailboxFactory(integration=integration, disabled_kind=errors.AccessDenied.kind, **bad)
    assert "3 mailboxes are started." in press(admin, admin.get("/?span=week").text, "start")
    running = set(Mailbox.objects.filter(enabled=True).values_list("pk", flat=True))
    assert running == {row.pk for row in mine}
    assert other.pk not in running


def test_sync_all_now_makes_the_mailboxes_with_the_same_error_due(admin, integration):
    mine = mailboxes(integration, 2, failing_since=timezone.now(), **BUSY)
    timed_out = {**BUSY, "error_kind": "exchange_timed_out"}
    mailboxes(integration, 1, failing_since=timezone.now(), **timed_out)
    assert "2 mailboxes are due now." in press(admin, admin.get("/").text, "sync-now")
    assert set(MailboxState.objects.filter(next_sync_at=None).values_list("pk", flat=True)) == {row.pk for row in mine}


def test_a_viewer_gets_no_button_for_many_mailboxes(client, integration):
    from django.contrib.auth.models import Group

    mailboxes(integration, 2, failing_since=timezone.now(), **BUSY)
    viewer = factories.AdminFactory(username="viewer", is_superuser=False, is_staff=False)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    page = client.get("/").text
    assert "Show them" in page
    assert "Sync all now" not in page


def test_show_them_lists_only_the_mailboxes_of_the_problem(admin, integration):
    mine = mailboxes(integration, 2, failing_since=timezone.now(), **BUSY)
    (other,) = mailboxes(integration, 1)
    page = admin.get("/").text
    link = page.split("Show them")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    shown = admin.get(link).text
    assert all(row.address in shown for row in mine)
    assert other.address not in shown
    assert "Only mailboxes with the error “" in shown


def test_a_problem_without_a_common_button_links_to_the_select_page(admin, integration):
    mine = mailboxes(integration, 2, next_sync_at=timezone.now() - timedelta(hours=1))
    (other,) = mailboxes(integration, 1)
    housekeeping.record_tick("dispatch", timezone.now())
    link = f"{reverse('integration-select', args=[integration.pk])}?state=overdue"
    assert f'href="{link}"' in admin.get("/").text
    shown = admin.get(link).text
    assert all(row.address in shown for row in mine)
    assert other.address not in shown


def test_missing_comments_lead_to_the_mailboxes_of_the_bucket(admin, integration):
    mine = mailboxes(integration, 2)
    mailboxes(integration, 1)
    now = timezone.now()
    bucket = mine[0].bucket
    Comparison.objects.create(
        bucket=bucket, next_at=now, compared_at=now, stored=7, confirmed=9, missing_since=now - timedelta(minutes=10)
    )
    page = admin.get("/").text
    assert "Its mailboxes" in page
    assert "Test or create" not in page
    link = f"{reverse('integration', args=[integration.pk])}?bucket={bucket.pk}"
    assert f'href="{link}"' in page
    assert admin.get(link).text.count('<td class="name">') == 2
    assert f"Only mailboxes of bucket {bucket}" in admin.get(link).text


def test_changed_texts_have_the_button_that_stops_the_mailboxes_of_the_bucket(admin, integration):
    mine = mailboxes(integration, 2)
    (other,) = mailboxes(integration, 1)
    bucket = mine[0].bucket
    factories.ActivityFactory(integration=integration, bucket=bucket, updated=2, text_changes=2)
    assert "2 mailboxes are stopped." in press(admin, admin.get("/").text, "stop")
    assert set(Mailbox.objects.filter(enabled=True)) == {other}
    assert Activity.objects.get().text_changes == 2


def test_problems_of_one_kind_beyond_the_limit_are_only_counted(admin, integration):
    for _ in range(40):
        factories.DeadLetterFactory(folder=factories.SyncedFolderFactory(mailbox__integration=integration))
    problems = current_problems()
    assert (len(problems), problems.more) == (25, 15)
    page = admin.get("/").text
    assert '<span class="count">40</span>' in page
    assert "And 30 more." in page


@pytest.mark.parametrize("query", ["bucket=x", "bucket=9" * 1 + "9" * 30, "error=%00", "error=nothing&bucket=0"])
def test_an_invalid_filter_is_no_error(admin, integration, query):
    mailboxes(integration, 1)
    for name in ("integration", "integration-select"):
        assert admin.get(f"{reverse(name, args=[integration.pk])}?{query}").status_code == 200


def test_the_overview_shows_a_standstill(admin, integration):
    mailboxes(integration, 1)
    assert "All started integrations and mailboxes work" in admin.get("/").text
    MailboxState.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    page = admin.get("/").text
    assert "Standing still" in page
    assert "No worker is running" in page
    assert "All started integrations and mailboxes work" not in page


def everything_at_once():
    """Create problems of many kinds, in several integrations."""
    now = timezone.now()
    factories.DestinationFactory(held_since=now, held_until=now)
    factories.BucketFactory(held_since=now, held_until=now, monthly_limit=0)
    factories.IntegrationFactory(held_since=now, held_until=now)
    factories.IntegrationFactory(enabled=False, disabled_reason="sync_error", disabled_detail="Why.")
    for minute in range(9):
        PollRate.objects.create(at=now - timedelta(minutes=minute), needed=9, done=1)
    for each in (factories.IntegrationFactory() for _ in range(3)):
        late = {"asked_at": now - timedelta(days=2), "next_sync_at": now - timedelta(days=1)}
        rows = mailboxes(each, 3, **late, synced_at=now - timedelta(hours=9))
        Mailbox.objects.filter(pk=rows[0].pk).update(enabled=False, disabled_reason="quota", disabled_kind=NOT_FOUND)
        mailboxes(each, 1, failing_since=now, **BUSY)
        for days in (7, 14):
            hour = hour_of(now - timedelta(days=days, hours=3))
            factories.ActivityFactory(integration=each, bucket=rows[0].bucket, created=40, hour=hour)
        ended = mailboxes(each, 2, asked_at=now - timedelta(days=2), synced_at=now, went_back_at=now)
        for row in ended:
            for days in (8, 15):
                MailDay.objects.create(mailbox=row, day=(now - timedelta(days=days)).date(), created=40)
        MailboxState.objects.filter(pk=ended[0].pk).update(lease_until=now + timedelta(hours=5))
        for _ in range(3):
            factories.SyncRunFactory(
                mailbox=rows[0], outcome="lost", error_kind="checkpoint_moved", started_at=now - timedelta(hours=1)
            )
        bucket = rows[0].bucket
        factories.ActivityFactory(integration=each, bucket=bucket, text_changes=1)
        counts = {"next_at": now, "compared_at": now, "confirmed": 9}
        Comparison.objects.create(bucket=bucket, stored=7, missing_since=now - timedelta(hours=1), **counts)
        Comparison.objects.create(bucket=ended[0].bucket, stored=11, surplus_since=now - timedelta(hours=1), **counts)
        for row in rows[:2]:
            factories.DeadLetterFactory(folder=factories.SyncedFolderFactory(mailbox=row))


def test_an_overview_with_many_kinds_of_problems_takes_few_queries(admin, integration, django_assert_max_num_queries):
    everything_at_once()
    housekeeping.record_tick("dispatch", timezone.now() - timedelta(hours=1))
    titles = {problem.title for problem in current_problems()}
    assert titles >= {
        *("Paused", "Stopped by an error", "Limit reached", "Quota reached", "Silent", "Overdue", "Failed emails"),
        *("Texts changed", "Comments missing", "Unknown comments", "Checkpoint went back", "Checkpoint moved"),
        *("Worker gone", "Standing still", "Too few polls"),
    }
    with django_assert_max_num_queries(39):
        admin.get("/")


def test_the_overview_shows_a_mailbox_with_many_slow_emails_and_the_remedy(admin, integration):
    folder = factories.SyncedFolderFactory(mailbox=factories.MailboxFactory(integration=integration))
    slow = {"kind": DeadLetterKind.CONVERSION_DEADLINE, "stage": DeadLetterKind.CONVERSION_DEADLINE.stage}
    for _ in range(MANY + 1):
        factories.DeadLetterFactory(folder=folder, **slow, retry_at=None, last_at=timezone.now())
    page = admin.get("/").content.decode()
    assert "Slow emails" in page
    assert f"{MANY + 1} emails of the last hour took longer to convert than CONVERSION_DEADLINE" in page
    assert "manually, or after an update" in admin.get("/set-aside/").content.decode()
