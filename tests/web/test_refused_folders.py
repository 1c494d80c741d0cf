"""A folder that cannot be read is shown and counted on the pages, in the API and in the metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import FolderRefused
from sync.models import MailboxState, SyncedFolder
from sync.reporting import alerts, integration_status, mailbox_counters, status
from sync.reporting.progress import pass_of
from sync.reporting.status import Status
from tests import factories


@pytest.fixture
def mailbox(db):
    """A mailbox that is up to date, except for two folders that cannot be read."""
    now = timezone.now()
    state = factories.MailboxStateFactory(up_to_date=True, synced_at=now, next_sync_at=now + timedelta(minutes=1))
    refused = {
        "refused_kind": FolderRefused.kind,
        "refused_detail": "ErrorAccessDenied",
        "refused_since": now - timedelta(hours=2),
        "refused_attempts": 3,
        "retry_at": now + timedelta(minutes=50),
        "left_out": True,
    }
    for name, values in (("Inbox", {"up_to_date": True}), ("Claims", refused), ("Trades", refused)):
        SyncedFolder.objects.create(
            mailbox=state.mailbox, folder_id=name, name=name, path=[name], kind="ordinary", **values
        )
    return state.mailbox


def judged(mailbox):
    now = timezone.now()
    rows = status.with_status(type(mailbox).objects.filter(pk=mailbox.pk), now)
    return rows.select_related("integration", "bucket__destination", "state").get(), now


def test_a_mailbox_with_an_unreadable_folder_is_not_up_to_date(mailbox):
    row, now = judged(mailbox)
    assert status.status_of(row) is Status.LEFT_OUT
    summary = status.mailbox_standing(row, now)
    assert (summary.label, summary.tone) == ("Folders left out", status.Tone.WARN)
    assert "cannot be read" in summary.sentence
    counts = integration_status.count_by_status(type(mailbox).objects.all(), now)
    assert counts == {Status.LEFT_OUT: 1}
    of_integration = integration_status.integration_standing(mailbox.integration, counts, now)
    assert of_integration.tone is status.Tone.WARN
    assert "0 of 1 mailbox up to date, 1 with folders left out." in of_integration.sentence


def test_a_folder_that_is_gone_or_can_be_read_again_is_not_left_out(mailbox):
    SyncedFolder.objects.filter(name="Claims").update(gone=True)
    SyncedFolder.objects.filter(name="Trades").update(left_out=False, refused_since=None)
    assert status.status_of(judged(mailbox)[0]) is Status.UP_TO_DATE


def test_an_unreadable_folder_is_not_counted_in_the_progress(mailbox):
    MailboxState.objects.update(up_to_date=False)
    SyncedFolder.objects.update(total=5)
    row, now = judged(mailbox)
    assert pass_of(row).of == 1
    assert mailbox_counters.mailbox_rows([row], now)[0].left_out == 2


def test_the_page_of_the_mailbox_names_each_folder_with_reason_next_try_and_what_to_do(admin, mailbox):
    page = admin.get(f"/mailboxes/{mailbox.pk}/").text
    part = page.split('id="left-out"')[1].split("</section>")[0]
    assert "Claims" in part
    assert "Trades" in part
    assert "Inbox" not in part
    assert FolderRefused.text in part
    assert "ErrorAccessDenied" in part
    assert "in the filter" in part
    assert "2 hours ago" in part
    assert "in 49 minutes" in part or "in 50 minutes" in part
    assert "refused 3 times" in part
    assert "Left out" in page.split('id="folders"')[1]


def test_the_overview_has_one_line_for_the_mailbox_with_what_to_do(admin, mailbox):
    (problem,) = alerts.problems(timezone.now())
    assert (problem.about, problem.subject, problem.kind) == ("mailbox", mailbox, FolderRefused.kind)
    assert problem.text.startswith("2 folders cannot be read and are left out.")
    assert FolderRefused.remedy in problem.text
    assert problem.text in admin.get("/").text.replace("&#x27;", "'")


def test_unreadable_folders_of_a_stopped_mailbox_are_no_problem(mailbox):
    type(mailbox).objects.update(enabled=False, disabled_reason="user")
    assert not [problem for problem in alerts.problems(timezone.now()) if problem.kind == FolderRefused.kind]


def test_the_metrics_count_unreadable_folders_by_integration(client, mailbox):
    name = f"{mailbox.integration.project}/{mailbox.integration.name}"
    metrics = client.get("/metrics").text
    assert f'reinfer_exchange_folders_left_out{{integration="{name}"}} 2.0' in metrics
    assert f'reinfer_exchange_mailboxes{{integration="{name}",state="left_out"}} 1.0' in metrics


def test_the_api_counts_and_lists_unreadable_folders(admin, mailbox):
    sync = admin.get(f"/api/v1/mailboxes/{mailbox.pk}").json()["sync"]
    assert (sync["status"], sync["folders_left_out"]) == ("left_out", 2)
    listed = admin.get(f"/api/v1/mailboxes/{mailbox.pk}/folders?left_out=true").json()["results"]
    assert sorted(folder["path"] for folder in listed) == [["Claims"], ["Trades"]]
    assert {folder["refused_kind"] for folder in listed} == {FolderRefused.kind}
    assert {folder["refused_detail"] for folder in listed} == {"ErrorAccessDenied"}
    assert all(folder["retry_at"] and folder["refused_since"] for folder in listed)
    assert admin.get("/api/v1/mailboxes?status=left_out").json()["results"]
