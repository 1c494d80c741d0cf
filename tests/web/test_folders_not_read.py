"""Folders that are not read are listed on the page of their mailbox and in the API, with class, count and reason."""

from __future__ import annotations

import pytest

from integrations.models import Integration
from sync.models import SyncedFolder
from tests import factories


@pytest.fixture
def mailbox(db):
    state = factories.MailboxStateFactory()
    rows = (
        ("Inbox", {"folder_class": "IPF.Note", "total": 5}),
        ("Holidays", {"folder_class": "IPF.Appointment", "total": 1234, "holds_mail": False}),
        ("Secret <b>", {"folder_class": "IPF.Note", "total": 3, "holds_mail": False, "hidden": True}),
        ("Unread Mail", {"total": None, "holds_mail": False}),
        ("Old", {"folder_class": "IPF.Task", "holds_mail": False, "gone": True}),
    )
    for name, values in rows:
        SyncedFolder.objects.create(
            mailbox=state.mailbox, folder_id=name, name=name, path=[name], kind="ordinary", **values
        )
    return state.mailbox


def part_of(client, mailbox) -> str:
    page = client.get(f"/mailboxes/{mailbox.pk}/").text
    return page.partition('id="not-read"')[2].partition("</section>")[0]


def test_the_page_lists_unread_folders_with_class_count_and_reason(admin, mailbox):
    part = part_of(admin, mailbox)
    for text in ("Holidays", "IPF.Appointment", "1,234", "contains appointments", "hidden: no mail client shows it"):
        assert text in part, text
    assert "Secret &lt;b&gt;" in part
    assert "a search folder: its emails are stored in other folders" in part
    assert "Inbox" not in part
    assert "Old" not in part
    assert "Microsoft Graph" not in part


def test_by_graph_the_page_says_that_other_folders_are_not_listed(admin, mailbox):
    Integration.objects.update(microsoft_api="graph", auth="oauth2")
    SyncedFolder.objects.not_read().delete()
    assert "Microsoft Graph lists" in part_of(admin, mailbox)


def test_the_api_counts_and_lists_folders_that_are_not_read(admin, mailbox):
    assert admin.get(f"/api/v1/mailboxes/{mailbox.pk}").json()["sync"]["folders_not_read"] == 3
    rows = admin.get(f"/api/v1/mailboxes/{mailbox.pk}/folders-not-read").json()["results"]
    by_name = {row["path"][0]: (row["folder_class"], row["hidden"], row["total"], row["why"]) for row in rows}
    assert by_name == {
        "Holidays": ("IPF.Appointment", False, 1234, "contains appointments"),
        "Secret <b>": ("IPF.Note", True, 3, "hidden: no mail client shows it"),
        "Unread Mail": ("", False, None, "a search folder: its emails are stored in other folders"),
    }
