"""The state of a mailbox, of an integration, and what needs attention, in the words that an admin reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.models import Destination, Integration
from mailboxes.models import Mailbox
from sync import attention, status
from sync.models import Comparison
from sync.status import Status
from sync.templatetags.moments import duration, relative
from sync.wanted_folders import wanted_folders
from tests import factories

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def status_now(mailbox):
    return status.status_of(status.with_status(Mailbox.objects.filter(pk=mailbox.pk), NOW).get())


def standing_now(mailbox):
    row = status.with_status(Mailbox.objects.select_related("integration", "bucket__destination", "state"), NOW)
    return status.mailbox_standing(row.get(pk=mailbox.pk), NOW)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, Status.UP_TO_DATE),
        ({"lease_until": SOON}, Status.UP_TO_DATE),
        ({"up_to_date": False}, Status.WAITING),
        ({"up_to_date": False, "lease_until": SOON}, Status.IN_PROGRESS),
        ({"failures": 1}, Status.RETRYING),
        ({"next_sync_at": NOW - timedelta(hours=1)}, Status.OVERDUE),
        ({"next_sync_at": NOW - timedelta(hours=1), "lease_until": SOON}, Status.UP_TO_DATE),
        ({"next_sync_at": None}, Status.UP_TO_DATE),
    ],
)
def test_the_state_of_a_mailbox_follows_from_what_its_worker_wrote(db, state, expected):
    row = factories.MailboxStateFactory(**{"next_sync_at": SOON, **state})
    assert status_now(row.mailbox) is expected


def test_a_mailbox_that_nobody_looked_at_yet_waits_its_turn(db):
    mailbox = factories.MailboxFactory()
    assert status_now(mailbox) is Status.WAITING
    assert standing_now(mailbox).sentence == ""


def test_what_is_stopped_is_stopped_whatever_else_is_wrong(db):
    state = factories.MailboxStateFactory(failures=3, mailbox__integration__stopped=True)
    assert status_now(state.mailbox) is Status.STOPPED
    assert standing_now(state.mailbox).sentence == "Its integration is stopped."
    assert status_now(factories.MailboxFactory(stopped=True)) is Status.STOPPED


def test_a_mailbox_disabled_by_an_error_needs_you_and_says_why(db):
    mailbox = factories.MailboxFactory(enabled=False, disabled_reason="sync_error", disabled_detail="No such mailbox.")
    assert status_now(mailbox) is Status.NEEDS_YOU
    assert standing_now(mailbox).sentence == "No such mailbox."


def test_a_hold_of_whatever_it_hangs_on_holds_a_mailbox_until_a_time(db):
    mailbox = factories.MailboxFactory()
    Destination.objects.update(held_until=SOON, held_detail="Re:infer refused the API token.")
    assert status_now(mailbox) is Status.HELD
    assert standing_now(mailbox).sentence == "Re:infer refused the API token. Next try at 14:05."
    Integration.objects.update(held_until=SOON + timedelta(days=1), held_detail="Exchange refused.")
    assert standing_now(mailbox).sentence == "Exchange refused. Next try on 5 Mar, 14:05."


def test_an_integration_says_in_one_sentence_how_its_mailboxes_are(db):
    integration = factories.IntegrationFactory()
    counts = {Status.NEEDS_YOU: 1, Status.RETRYING: 2, Status.WAITING: 2, Status.UP_TO_DATE: 35}
    said = status.integration_standing(integration, counts, NOW)
    assert said.label == "Running"
    assert said.sentence == "35 of 40 mailboxes up to date, 1 needs you, 2 retrying, 2 waiting their turn."
    assert status.integration_standing(integration, {}, NOW).sentence == "It has no mailboxes yet."


def test_a_folder_that_is_skipped_is_not_wanted_and_neither_is_what_lies_in_it(db):
    junk = factories.SyncedFolderFactory(kind="junk", name="Pourriel", path=["Pourriel"])
    below = {"mailbox": junk.mailbox, "parent_id": junk.folder_id}
    factories.SyncedFolderFactory(**below, name="Below", path=["Pourriel", "Below"])
    factories.SyncedFolderFactory(mailbox=junk.mailbox, name="Inbox")
    factories.SyncedFolderFactory(mailbox=junk.mailbox, name="Calendar", holds_mail=False)
    found = {str(folder): wanted for folder, wanted in wanted_folders(junk.mailbox)}
    assert found == {"Inbox": "wanted", "Pourriel": "skipped_folder", "Pourriel/Below": "skipped_folder"}


def test_a_failure_that_many_mailboxes_share_is_one_thing_that_needs_attention(db):
    integration = factories.IntegrationFactory()
    failing = {"failures": 1, "error_kind": "exchange_timed_out", "error_text": "Exchange did not answer in time."}
    for _ in range(3):
        factories.MailboxStateFactory(mailbox__integration=integration, failing_since=NOW, **failing)
    (problem,) = attention.problems(NOW)
    assert (problem.about, problem.count, problem.subject) == ("mailboxes", 3, integration)
    assert problem.text == failing["error_text"]


def test_what_needs_attention_is_listed_newest_first(db):
    factories.DestinationFactory(held_since=NOW - timedelta(hours=2), held_until=SOON, held_detail="Old.")
    factories.IntegrationFactory(held_since=NOW - timedelta(minutes=2), held_until=SOON, held_detail="New.")
    factories.MailboxFactory(enabled=False, disabled_reason="quota", disabled_detail="Quota reached.")
    factories.SetAsideEmailFactory()
    found = attention.problems(NOW)
    times = [problem.since for problem in found]
    assert times == sorted(times, reverse=True)
    assert {problem.about for problem in found} == {"destination", "integration", "mailbox", "set_aside"}


def test_what_a_user_stopped_needs_no_attention(db):
    factories.IntegrationFactory(stopped=True)
    factories.MailboxFactory(stopped=True)
    assert attention.problems(NOW) == []


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
def test_a_time_is_told_relative_to_now(seconds, expected):
    assert relative(NOW - timedelta(seconds=seconds), NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.42, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-1, "0.0 s")]
)
def test_a_duration_is_told_as_short_as_it_can_be(seconds, expected):
    assert duration(timedelta(seconds=seconds)) == expected


def test_what_must_never_be_stands_on_the_overview_with_what_to_do(admin):
    state = factories.MailboxStateFactory()
    bucket = state.mailbox.bucket
    now = timezone.now()
    Comparison.objects.create(
        bucket=bucket, next_at=now, compared_at=now, stored=7, confirmed=9, missing_since=now - timedelta(minutes=10)
    )
    page = admin.get("/").content.decode()
    assert "Comments missing" in page
    assert "2 fewer comments than it acknowledged (7 of 9)" in page
    assert f'href="/destinations/{bucket.destination_id}/"' in page
