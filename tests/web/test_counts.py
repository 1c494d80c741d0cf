"""Numbers on the pages: AI units, the emails and runs of a mailbox, and its last failure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from mailboxes.models import Mailbox
from sync.models import LedgerEntry
from sync.reporting import mailbox_counters, status, trends
from tests import factories

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


def created(days: int, **entry: object) -> None:
    pk = factories.LedgerEntryFactory(**entry).pk
    LedgerEntry.objects.filter(pk=pk).update(created_at=NOW - timedelta(days=days))


def test_ai_units_are_the_billed_confirmed_creates_of_this_month(db):
    created(0)
    created(2)
    created(30)
    created(0, billed=False)
    created(0, state="intended")
    assert mailbox_counters.totals(NOW) == mailbox_counters.Totals(comments_day=1, set_aside=0)
    assert sum(line.units for line in trends.units_by_bucket(NOW)) == 2


def test_the_row_of_a_mailbox_counts_only_its_own_emails_and_runs(db):
    folder = factories.SyncedFolderFactory()
    factories.MailboxItemFactory.create_batch(3, folder=folder)
    factories.MailboxItemFactory(folder=folder, verdict="too_old")
    factories.MailboxItemFactory()
    factories.DeadLetterFactory(folder=folder)
    factories.DeadLetterFactory(folder=folder, settled="dismissed")
    factories.SyncRunFactory(mailbox=folder.mailbox, started_at=NOW - timedelta(hours=1), unchanged=5, created=2)
    factories.SyncRunFactory(mailbox=folder.mailbox, started_at=NOW - timedelta(hours=2), unchanged=4)
    factories.SyncRunFactory(mailbox=folder.mailbox, started_at=NOW - timedelta(days=2), unchanged=100)
    row = mailbox_counters.mailbox_rows(
        list(status.with_status(Mailbox.objects.filter(pk=folder.mailbox_id), NOW)), NOW
    )[0]
    assert row.figures == mailbox_counters.MailboxFigures(delivered=3, set_aside=1, created=2, unchanged=9)
    assert mailbox_counters.delivered_by_folder(folder.mailbox) == {folder.pk: 3}


def test_the_last_failure_is_still_shown_after_a_successful_sync(admin):
    mailbox = factories.MailboxStateFactory().mailbox
    now = timezone.now()
    factories.SyncRunFactory(
        mailbox=mailbox, started_at=now - timedelta(hours=2), outcome="failed", error_text="Timed out."
    )
    factories.SyncRunFactory(mailbox=mailbox, started_at=now - timedelta(minutes=1))
    assert "failed <time" in admin.get(reverse("integration", args=[mailbox.integration_id])).text
    page = admin.get(reverse("mailbox", args=[mailbox.pk])).text
    assert re.search(r"Last failure <time[^>]*>2 hours ago</time>: <bdi>Timed out.</bdi>", page)


def test_the_page_of_a_mailbox_lists_only_runs_with_work_or_errors(admin):
    mailbox = factories.MailboxStateFactory().mailbox
    now = timezone.now()
    factories.SyncRunFactory(mailbox=mailbox, started_at=now - timedelta(hours=1), created=3)
    factories.SyncRunFactory(mailbox=mailbox, started_at=now - timedelta(hours=2), outcome="failed")
    for minutes in range(1, 13):
        factories.SyncRunFactory(mailbox=mailbox, started_at=now - timedelta(minutes=minutes), unchanged=1)
    shown = admin.get(reverse("mailbox", args=[mailbox.pk])).context["runs"]
    assert [(run.created, run.outcome) for run in shown] == [(3, "done"), (0, "failed")]
