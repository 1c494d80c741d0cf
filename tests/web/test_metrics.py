"""`/metrics`: who may read it, what it tells, and what it never tells."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from integrations.models import Integration
from sync.jobs import housekeeping
from sync.models import Activity, PollRate
from tests.factories import (
    ActivityFactory,
    LedgerEntryFactory,
    MailboxFactory,
    MailboxStateFactory,
    SetAsideEmailFactory,
    SyncedFolderFactory,
    SyncRunFactory,
)

TOKEN = "a token that only the monitoring knows"


def figures(answer) -> dict[tuple[str, ...], float]:
    """By name and the values of the labels."""
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name.removeprefix("reinfer_exchange_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def read(client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    return lambda: figures(client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}))


def test_without_a_token_this_machine_alone_is_answered_and_nobody_through_a_proxy(client, db, settings):
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 401
    assert client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 401
    settings.BEHIND_PROXY = True
    refused = client.get("/metrics")
    assert refused.status_code == 401
    assert b"METRICS_TOKEN" in refused.content


def test_with_a_token_it_alone_opens_whoever_asks(client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    for wrong in ("", "Bearer ", f"Bearer {TOKEN}x", TOKEN, "Bearer ünïcödé"):
        assert client.get("/metrics", headers={"authorization": wrong}).status_code == 401
    given = {"authorization": f"Bearer {TOKEN}"}
    answer = client.get("/metrics", headers=given, REMOTE_ADDR="10.1.2.3")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert client.post("/metrics", headers=given).status_code == 405


def test_the_ordinary_figures_are_told(read):
    state = MailboxStateFactory()
    name, bucket = "operations/" + state.mailbox.integration.name, str(state.mailbox.bucket)
    late = MailboxStateFactory(
        mailbox=MailboxFactory(integration=state.mailbox.integration),
        next_sync_at=timezone.now() - timedelta(minutes=2),
        up_to_date=False,
    )
    MailboxStateFactory(
        mailbox=MailboxFactory(integration=state.mailbox.integration),
        queued_until=timezone.now() + settings.QUEUED_FOR - timedelta(seconds=30),
    )
    SetAsideEmailFactory(folder=SyncedFolderFactory(mailbox=late.mailbox))
    LedgerEntryFactory.create_batch(3, bucket=state.mailbox.bucket)
    ActivityFactory(
        integration=state.mailbox.integration, bucket=state.mailbox.bucket, created=7, updated=2, longest_wait=40
    )
    SyncRunFactory(mailbox=late.mailbox, outcome="lost")
    Integration.objects.update(held_until=timezone.now())
    found = read()
    assert found["mailboxes", name, "held"] == 3
    assert found["mailboxes", name, "up_to_date"] == 0
    assert found["held", "integration"] == 1
    assert found["mailboxes_due",] == 1
    assert 110 < found["due_age_seconds",] < 130
    assert 25 < found["queue_age_seconds",] < 40
    assert found["mailboxes_queued",] == 1
    assert found["comments_created_day", name] == 7
    assert found["comments_updated_day", name] == 2
    assert found["sync_delay_seconds", name] == 40
    assert found["ai_units_month", bucket] == 3
    assert found["set_aside", name] == 1
    assert found["workers_lost_day",] == 1


def test_what_must_never_be_is_counted_and_is_nought_where_all_is_well(read):
    state = MailboxStateFactory()
    assert {value for (name, *_), value in read().items() if name == "broken"} == {0}
    Activity.objects.create(
        bucket=state.mailbox.bucket, hour=timezone.now() - timedelta(hours=1), updated=3, text_changes=3
    )
    assert read()["broken", "text_changed"] == 3


def test_the_age_of_the_last_tick_tells_that_beat_and_a_worker_live(read):
    assert ("tick_age_seconds", "watch") not in read()
    housekeeping.ticked("watch", timezone.now() - timedelta(seconds=90))
    assert 89 < read()["tick_age_seconds", "watch"] < 100


def test_neither_addresses_nor_secrets_nor_names_of_senders_are_in_it(client, db):
    for _ in range(3):
        SetAsideEmailFactory(folder=SyncedFolderFactory(mailbox=MailboxStateFactory().mailbox))
    told = client.get("/metrics").content.decode()
    assert not re.search(r"[\w.]+@[\w.]+", told)
    assert "nobody-may-read" not in told
    lines = [line for line in told.splitlines() if not line.startswith("#")]
    assert len(lines) < 100


def test_there_are_no_more_queries_with_more_mailboxes(client, db, django_assert_max_num_queries):
    for _ in range(5):
        MailboxStateFactory()
    with django_assert_max_num_queries(40):
        client.get("/metrics")


def test_the_polls_of_the_last_minute_are_told_while_they_are_measured(read):
    now = timezone.now()
    old = PollRate.objects.create(at=now - timedelta(minutes=6), needed=83.3, done=8.8)
    assert (read()["polls_needed_per_second",], read()["polls_done_per_second",]) == (0, 0)
    PollRate.objects.create(at=now, needed=old.needed, done=old.done)
    assert (read()["polls_needed_per_second",], read()["polls_done_per_second",]) == (83.3, 8.8)


def test_a_mailbox_that_is_due_at_once_and_never_was_synced_is_due(read):
    MailboxStateFactory(next_sync_at=None, synced_at=None, asked_at=timezone.now() - timedelta(minutes=30))
    found = read()
    assert found["mailboxes_due",] == 1
    assert 1790 < found["due_age_seconds",] < 1830
    assert found["broken", "mailbox_untouched"] == 1
