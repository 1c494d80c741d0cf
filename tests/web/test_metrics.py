"""`/metrics`: who may read the metrics, their values, and what they must not contain."""

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
    DeadLetterFactory,
    LedgerEntryFactory,
    MailboxFactory,
    MailboxStateFactory,
    SyncedFolderFactory,
    SyncRunFactory,
)

TOKEN = "a token that only the monitoring knows"


def figures(response) -> dict[tuple[str, ...], float]:
    """Return the values of the samples, by name and label values."""
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name.removeprefix("reinfer_exchange_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def read(client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    return lambda: figures(client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}))


def test_without_a_token_only_this_machine_may_read_metrics_and_not_through_a_proxy(client, db, settings):
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 401
    assert client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 401
    settings.BEHIND_PROXY = True
    refused = client.get("/metrics")
    assert refused.status_code == 401
    assert b"METRICS_TOKEN" in refused.content


def test_with_a_token_every_client_needs_it(client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    for wrong in ("", "Bearer ", f"Bearer {TOKEN}x", TOKEN, "Bearer ünïcödé"):
        assert client.get("/metrics", headers={"authorization": wrong}).status_code == 401
    headers = {"authorization": f"Bearer {TOKEN}"}
    response = client.get("/metrics", headers=headers, REMOTE_ADDR="10.1.2.3")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert client.post("/metrics", headers=headers).status_code == 405


def test_the_metrics_contain_states_delays_and_counts(read):
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
    DeadLetterFactory(folder=SyncedFolderFactory(mailbox=late.mailbox))
    LedgerEntryFactory.create_batch(3, bucket=state.mailbox.bucket)
    ActivityFactory(
        integration=state.mailbox.integration, bucket=state.mailbox.bucket, created=7, updated=2, longest_wait=40
    )
    SyncRunFactory(mailbox=late.mailbox, outcome="lost")
    Integration.objects.update(held_until=timezone.now())
    samples = read()
    assert samples["mailboxes", name, "held"] == 3
    assert samples["mailboxes", name, "up_to_date"] == 0
    assert samples["held", "integration"] == 1
    assert samples["mailboxes_due",] == 1
    assert 110 < samples["due_age_seconds",] < 130
    assert 25 < samples["queue_age_seconds",] < 40
    assert samples["mailboxes_queued",] == 1
    assert samples["comments_created_day", name] == 7
    assert samples["comments_updated_day", name] == 2
    assert samples["sync_delay_seconds", name] == 40
    assert samples["ai_units_month", bucket] == 3
    assert samples["set_aside", name] == 1
    assert samples["workers_lost_day",] == 1


def test_broken_invariants_are_counted_and_normally_zero(read):
    state = MailboxStateFactory()
    assert {value for (name, *_), value in read().items() if name == "broken"} == {0}
    Activity.objects.create(
        bucket=state.mailbox.bucket, hour=timezone.now() - timedelta(hours=1), updated=3, text_changes=3
    )
    assert read()["broken", "text_changed"] == 3


def test_the_age_of_the_last_tick_is_a_metric(read):
    assert ("tick_age_seconds", "watch") not in read()
    housekeeping.record_tick("watch", timezone.now() - timedelta(seconds=90))
    assert 89 < read()["tick_age_seconds", "watch"] < 100


def test_the_metrics_contain_no_address_and_no_secret(client, db):
    for _ in range(3):
        DeadLetterFactory(folder=SyncedFolderFactory(mailbox=MailboxStateFactory().mailbox))
    text = client.get("/metrics").content.decode()
    assert not re.search(r"[\w.]+@[\w.]+", text)
    assert "nobody-may-read" not in text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) < 100


def test_the_metrics_of_several_mailboxes_take_few_queries(client, db, django_assert_max_num_queries):
    for _ in range(5):
        MailboxStateFactory()
    with django_assert_max_num_queries(40):
        client.get("/metrics")


def test_the_poll_rate_is_zero_if_the_last_measurement_is_old(read):
    now = timezone.now()
    old = PollRate.objects.create(at=now - timedelta(minutes=6), needed=83.3, done=8.8)
    assert (read()["polls_needed_per_second",], read()["polls_done_per_second",]) == (0, 0)
    PollRate.objects.create(at=now, needed=old.needed, done=old.done)
    assert (read()["polls_needed_per_second",], read()["polls_done_per_second",]) == (83.3, 8.8)


def test_a_mailbox_that_is_due_at_once_and_never_was_synced_is_due(read):
    MailboxStateFactory(next_sync_at=None, synced_at=None, asked_at=timezone.now() - timedelta(minutes=30))
    samples = read()
    assert samples["mailboxes_due",] == 1
    assert 1790 < samples["due_age_seconds",] < 1830
    assert samples["broken", "mailbox_untouched"] == 1
