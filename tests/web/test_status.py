"""The texts that an admin reads: the state of a mailbox, the state of an integration, and the problems."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.errors import EwsDisabled, SignInRefused
from integrations.models import Destination, Integration
from mailboxes.models import Mailbox
from sync.jobs.folder_filter import wanted_folders
from sync.models import Comparison
from sync.reporting import alerts, integration_status, status
from sync.reporting.status import Status
from sync.reporting.wording.moments import duration, relative
from tests import factories

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def status_now(mailbox):
    return status.status_of(status.with_status(Mailbox.objects.filter(pk=mailbox.pk), NOW).get())


def summary_now(mailbox):
    row = status.with_status(Mailbox.objects.select_related("integration", "bucket__destination", "state"), NOW)
    return status.mailbox_standing(row.get(pk=mailbox.pk), NOW)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, Status.UP_TO_DATE),
        ({"lease_until": SOON}, Status.UP_TO_DATE),
        ({"up_to_date": False}, Status.WAITING),
        ({"up_to_date": False, "lease_until": SOON}, Status.LISTING),
        ({"list_again": True}, Status.WAITING),
        ({"failures": 1}, Status.HELD),
        ({"failures": 1, "error_kind": "mailbox_not_found"}, Status.NEEDS_YOU),
        ({"next_sync_at": NOW - timedelta(hours=1)}, Status.OVERDUE),
        ({"next_sync_at": NOW - timedelta(hours=1), "lease_until": SOON}, Status.UP_TO_DATE),
        ({"next_sync_at": None}, Status.UP_TO_DATE),
    ],
)
def test_the_state_of_a_mailbox_follows_from_what_its_worker_wrote(db, state, expected):
    row = factories.MailboxStateFactory(**{"next_sync_at": SOON, **state})
    assert status_now(row.mailbox) is expected


def test_a_new_mailbox_is_waiting_in_queue(db):
    mailbox = factories.MailboxFactory()
    assert status_now(mailbox) is Status.WAITING
    assert summary_now(mailbox).sentence == ""


def test_a_stopped_mailbox_is_shown_as_stopped_despite_errors(db):
    state = factories.MailboxStateFactory(failures=3, mailbox__integration__stopped=True)
    assert status_now(state.mailbox) is Status.STOPPED
    assert summary_now(state.mailbox).sentence == "Its integration is stopped."
    assert status_now(factories.MailboxFactory(stopped=True)) is Status.STOPPED


def test_a_mailbox_disabled_by_an_error_requires_action_and_shows_the_reason(db):
    mailbox = factories.MailboxFactory(enabled=False, disabled_reason="sync_error", disabled_detail="No such mailbox.")
    assert status_now(mailbox) is Status.NEEDS_YOU
    assert summary_now(mailbox).sentence == "No such mailbox."


@pytest.mark.parametrize("kind", ["mailbox_access_denied", "mailbox_out_of_scope", "mailbox_not_in_cloud"])
def test_a_mailbox_that_is_refused_requires_action_from_its_first_failure_on(db, kind):
    state = factories.MailboxStateFactory(failures=1, error_kind=kind, error_text="Refused.")
    assert status_now(state.mailbox) is Status.NEEDS_YOU


@pytest.mark.parametrize(
    ("kind", "by"), [("mailbox_moving", "Exchange"), ("reinfer_busy", "Re:infer"), ("database_failed", "")]
)
def test_the_kind_of_the_error_shows_by_whom_a_mailbox_is_paused(db, kind, by):
    factories.MailboxStateFactory(failures=1, error_kind=kind, error_text="Later.", next_sync_at=SOON)
    (hold,) = integration_status.count_by_status(Mailbox.objects.all(), NOW).holds
    assert (hold.count, hold.by) == (1, by)


def test_the_text_of_a_pause_is_the_present_catalogue_text_with_the_stored_detail(db):
    mailbox = factories.MailboxFactory()
    Integration.objects.update(held_until=SOON, held_kind=SignInRefused.kind, held_detail="HTTP 401")
    waits = "Every mailbox of the integration waits."
    assert summary_now(mailbox).sentence == f"{SignInRefused('HTTP 401')} {waits} Next try at 14:05."


def test_the_sentence_of_a_mailbox_that_is_refused_alone_says_that_only_it_waits(db):
    state = factories.MailboxStateFactory(
        failures=1, error_kind=SignInRefused.kind, error_text="Refused.", next_sync_at=SOON, refused_alone=True
    )
    sentence = summary_now(state.mailbox).sentence
    assert sentence.startswith(
        "Refused. Only this mailbox waits. Another mailbox of the integration has signed in since"
    )
    state = factories.MailboxStateFactory(failures=1, error_kind=EwsDisabled.kind, error_text="403.", next_sync_at=SOON)
    assert summary_now(state.mailbox).sentence == "403. Only this mailbox waits. Next try at 14:05."


def test_a_paused_destination_or_integration_pauses_its_mailboxes(db):
    mailbox = factories.MailboxFactory()
    Destination.objects.update(held_until=SOON, held_detail="Re:infer refused the API token.")
    assert status_now(mailbox) is Status.HELD
    assert summary_now(mailbox).sentence == "Re:infer refused the API token. Next try at 14:05."
    assert not summary_now(mailbox).of_integration
    Integration.objects.update(held_until=SOON + timedelta(days=1), held_detail="Exchange refused.")
    assert summary_now(mailbox).of_integration
    assert summary_now(mailbox).sentence == "Exchange refused. Next try on 5 Mar, 14:05."


def test_an_integration_has_one_sentence_about_its_mailboxes(db):
    integration = factories.IntegrationFactory()
    held = integration_status.PausedCount(2, "Exchange", SOON)
    counts = {Status.NEEDS_YOU: 1, Status.HELD: 2, Status.WAITING: 2, Status.UP_TO_DATE: 35}
    summary = integration_status.integration_standing(integration, integration_status.StatusCounts(counts, [held]), NOW)
    assert summary.label == "Running"
    assert (
        summary.sentence
        == "35 of 40 mailboxes up to date, 1 requires action, 2 paused by Exchange until 14:05, 2 waiting in queue."
    )
    assert (
        integration_status.integration_standing(integration, integration_status.StatusCounts(), NOW).sentence
        == "It has no mailboxes yet."
    )


def test_paused_mailboxes_are_counted_by_who_pauses_them_and_until_when(db):
    integration = factories.IntegrationFactory()
    failing = {"mailbox__integration": integration, "failures": 1, "next_sync_at": SOON}
    for kind in ("exchange_busy", "exchange_busy", "unexpected"):
        factories.MailboxStateFactory(error_kind=kind, **failing)
    bucket = factories.BucketFactory(held_until=SOON + timedelta(minutes=5), held_kind="reinfer_forbidden")
    factories.MailboxStateFactory(mailbox__integration=integration, mailbox__bucket=bucket)
    factories.MailboxStateFactory(mailbox__integration=integration)
    for counts in (
        integration_status.count_by_integration(NOW)[integration.pk],
        integration_status.count_by_status(integration.mailboxes.all(), NOW),
    ):
        summary = integration_status.integration_standing(integration, counts, NOW).sentence
        assert summary.startswith("1 of 5 mailboxes up to date, 2 paused by Exchange until 14:05, ")
        assert "1 paused by Re:infer until 14:10" in summary
        assert "1 paused until 14:05" in summary


@pytest.mark.parametrize(
    ("state", "label", "sentence"),
    [
        ({"next_sync_at": SOON}, "Paused until 14:05", "It is busy. Next try at 14:05."),
        ({"next_sync_at": NOW, "lease_until": SOON}, "Paused, trying again", "It is busy."),
    ],
)
def test_a_failed_mailbox_shows_its_next_try(db, state, label, sentence):
    row = factories.MailboxStateFactory(failures=1, error_kind="exchange_busy", error_text="It is busy.", **state)
    summary = summary_now(row.mailbox)
    assert (summary.label, summary.sentence) == (label, sentence)


def test_an_error_that_only_an_admin_can_fix_requires_action_at_once(db):
    text = "Exchange has no mailbox with this address."
    row = factories.MailboxStateFactory(
        failures=1, error_kind="mailbox_not_found", error_text=text, next_sync_at=SOON, failing_since=NOW
    )
    summary = summary_now(row.mailbox)
    assert (summary.label, summary.sentence) == ("Action required", f"{text} Next try at 14:05.")
    (problem,) = alerts.problems(NOW)
    assert (problem.title, problem.about, problem.kind) == ("Action required", "mailbox", "mailbox_not_found")


@pytest.mark.parametrize(
    ("state", "doing"),
    [
        ({}, ""),
        ({"queued_until": SOON}, "The sync is queued: the next free worker takes it."),
        ({"lease_until": SOON}, "A worker is syncing it."),
        ({"list_again": True}, "A full resync starts with the next sync."),
        (
            {"send_again": True, "queued_until": SOON},
            "Missing comments are pushed again at the next sync. The sync is queued.",
        ),
        ({"lease_until": SOON, "mailbox__stopped": True}, "A worker is finishing its batch."),
        ({"lease_until": SOON, "mailbox__integration__stopped": True}, "A worker is finishing its batch."),
    ],
)
def test_the_effect_of_a_button_is_shown_until_it_is_done(db, state, doing):
    row = factories.MailboxStateFactory(**{"next_sync_at": SOON, **state})
    summary = summary_now(row.mailbox)
    assert (summary.doing, summary.working) == (doing, bool(doing))
    assert bool(summary.brief) is (bool(doing) and summary.label not in ("Stopping", "Listing"))


def test_badge_count_and_filter_say_the_same_of_a_mailbox_that_is_at_work(db):
    integration = factories.IntegrationFactory()
    at_work = {"mailbox__integration": integration, "up_to_date": False, "lease_until": SOON}
    listing = factories.MailboxStateFactory(**at_work, synced_at=None).mailbox
    working = factories.MailboxStateFactory(**at_work).mailbox
    factories.MailboxItemFactory(folder__mailbox=working)
    counts = integration_status.count_by_status(integration.mailboxes.all(), NOW)
    assert status.choices(counts) == [("listing", "Listing"), ("in_progress", "Working through mail")]
    assert [summary_now(mailbox).label for mailbox in (listing, working)] == ["Listing", "Working through mail"]
    summary = integration_status.integration_standing(integration, counts, NOW)
    assert summary.sentence == "0 of 2 mailboxes up to date, 1 listing, 1 working through mail."
    assert summary.working


def test_an_integration_that_was_stopped_is_stopping_while_its_workers_still_sync(db):
    integration = factories.IntegrationFactory(stopped=True)
    states = [factories.MailboxStateFactory(mailbox__integration=integration, lease_until=SOON) for _ in range(2)]
    factories.MailboxStateFactory(mailbox__integration=integration)
    for counts in (
        integration_status.count_by_integration(NOW)[integration.pk],
        integration_status.together([_counts(integration)]),
    ):
        summary = integration_status.integration_standing(integration, counts, NOW)
        assert (summary.label, summary.working) == ("Stopping", True)
        assert summary.sentence == "Stopped by a user. 2 mailboxes are finishing their batches."
    for state in states:
        state.lease_until = None
        state.save()
    summary = integration_status.integration_standing(integration, _counts(integration), NOW)
    assert (summary.label, summary.working, summary.sentence) == ("Stopped", False, "Stopped by a user.")


def _counts(integration):
    return integration_status.count_by_status(integration.mailboxes.all(), NOW)


def test_a_row_shows_current_work_that_its_badge_does_not_show(admin):
    state = factories.MailboxStateFactory(list_again=True)
    row = admin.get(f"/integrations/{state.mailbox.integration_id}/").text.partition("<tbody>")[2]
    assert "Waiting in queue" in row
    assert re.search(r'<span class="brief"[^>]*>full resync pending</span>', row)


def test_a_folder_whose_first_page_is_processed_is_not_waiting_in_queue():
    never_visited = factories.SyncedFolderFactory.build(mailbox=None, cursor="", up_to_date=False)
    in_hand = factories.SyncedFolderFactory.build(mailbox=None, cursor="", up_to_date=False, attempts=1)
    labels = [status.folder_standing(folder, wanted=True).label for folder in (never_visited, in_hand)]
    assert labels == ["Waiting in queue", "Working through mail"]


def test_a_skipped_folder_and_its_subfolders_are_filtered_out(db):
    junk = factories.SyncedFolderFactory(kind="junk", name="Pourriel", path=["Pourriel"])
    below = {"mailbox": junk.mailbox, "parent_id": junk.folder_id}
    factories.SyncedFolderFactory(**below, name="Below", path=["Pourriel", "Below"])
    factories.SyncedFolderFactory(mailbox=junk.mailbox, name="Inbox")
    factories.SyncedFolderFactory(mailbox=junk.mailbox, name="Calendar", holds_mail=False)
    listed = {str(folder): wanted for folder, wanted in wanted_folders(junk.mailbox)}
    assert listed == {"Inbox": "wanted", "Pourriel": "skipped_folder", "Pourriel/Below": "skipped_folder"}


def test_an_error_that_many_mailboxes_share_is_one_problem(db):
    integration = factories.IntegrationFactory()
    failing = {"failures": 1, "error_kind": "exchange_timed_out", "error_text": "Exchange did not answer in time."}
    for _ in range(3):
        factories.MailboxStateFactory(mailbox__integration=integration, failing_since=NOW, **failing)
    (problem,) = alerts.problems(NOW)
    assert (problem.about, problem.count, problem.subject) == ("mailboxes", 3, integration)
    assert problem.text == failing["error_text"]


def test_what_needs_attention_is_listed_newest_first(db):
    factories.DestinationFactory(held_since=NOW - timedelta(hours=2), held_until=SOON, held_detail="Old.")
    factories.IntegrationFactory(held_since=NOW - timedelta(minutes=2), held_until=SOON, held_detail="New.")
    factories.MailboxFactory(enabled=False, disabled_reason="quota", disabled_detail="Quota reached.")
    factories.DeadLetterFactory()
    listed = alerts.problems(NOW)
    times = [problem.since for problem in listed if problem.since]
    assert times == sorted(times, reverse=True)
    assert {problem.about for problem in listed} == {"destination", "integration", "mailbox", "set_aside"}


def test_what_a_user_stopped_needs_no_attention(db):
    factories.IntegrationFactory(stopped=True)
    factories.MailboxFactory(stopped=True)
    assert alerts.problems(NOW) == []


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (2, "just now"),
        (59, "59 seconds ago"),
        (61, "1 minute ago"),
        (7200, "2 hours ago"),
        (-7200, "in 2 hours"),
        (86_400 * 45, "18 Jan 2026"),
    ],
)
def test_a_time_is_shown_relative_to_now(seconds, expected):
    assert relative(NOW - timedelta(seconds=seconds), NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.42, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-1, "0.0 s")]
)
def test_a_duration_is_shown_in_short_form(seconds, expected):
    assert duration(timedelta(seconds=seconds)) == expected


def test_folders_are_listed_before_their_subfolders(db):
    mailbox = factories.MailboxFactory()
    for path in (["Inbox", "Escalated", "Legal"], ["Inbox 2"], ["inbox"], ["Inbox", "Escalated"]):
        factories.SyncedFolderFactory(mailbox=mailbox, path=path, name=path[-1])
    listed = [str(folder) for folder, _ in wanted_folders(mailbox)]
    assert listed == ["inbox", "Inbox/Escalated", "Inbox/Escalated/Legal", "Inbox 2"]


def test_the_overview_shows_a_broken_invariant(admin):
    state = factories.MailboxStateFactory()
    bucket = state.mailbox.bucket
    now = timezone.now()
    Comparison.objects.create(
        bucket=bucket, next_at=now, compared_at=now, stored=7, confirmed=9, missing_since=now - timedelta(minutes=10)
    )
    page = admin.get("/").content.decode()
    assert "Comments missing" in page
    assert "acknowledged 9 comments, but has only 7 of them" in page
    assert f'href="/destinations/{bucket.destination_id}/"' in page
