"""The figures of the pages add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailboxes.models import Mailbox
from sync import figures, status, trends
from sync.models import LedgerEntry
from tests import factories

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


def created(days: int, **entry: object) -> None:
    pk = factories.LedgerEntryFactory(**entry).pk
    LedgerEntry.objects.filter(pk=pk).update(created_at=NOW - timedelta(days=days))


def test_ai_units_are_confirmed_creates_of_ours_of_this_month(db):
    created(0)
    created(2)
    created(30)
    created(0, billed=False)
    created(0, state="intended")
    assert figures.totals(NOW) == figures.Totals(comments_day=1, set_aside=0)
    assert sum(line.units for line in trends.units_by_bucket(NOW)) == 2


def test_a_row_of_a_mailbox_counts_what_is_its_own(db):
    folder = factories.SyncedFolderFactory()
    factories.CopyFactory.create_batch(3, folder=folder)
    factories.CopyFactory(folder=folder, verdict="too_old")
    factories.CopyFactory()
    factories.SetAsideEmailFactory(folder=folder)
    factories.SetAsideEmailFactory(folder=folder, settled="dismissed")
    factories.SyncRunFactory(mailbox=folder.mailbox, started_at=NOW - timedelta(hours=1), unchanged=5, created=2)
    factories.SyncRunFactory(mailbox=folder.mailbox, started_at=NOW - timedelta(hours=2), unchanged=4)
    factories.SyncRunFactory(mailbox=folder.mailbox, started_at=NOW - timedelta(days=2), unchanged=100)
    row = figures.mailbox_rows(list(status.with_status(Mailbox.objects.filter(pk=folder.mailbox_id), NOW)), NOW)[0]
    assert row.figures == figures.MailboxFigures(delivered=3, set_aside=1, created=2, unchanged=9)
    assert figures.delivered_by_folder(folder.mailbox) == {folder.pk: 3}
