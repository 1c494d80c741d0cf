"""Pages and API agree on items that Exchange counts but does not list, and on a verification that compared nothing."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from sync.jobs import verification
from sync.models import SyncedFolder, Verification
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox():
    return factories.MailboxStateFactory(synced_at=timezone.now()).mailbox


@pytest.fixture
def folder(mailbox) -> SyncedFolder:
    return SyncedFolder.objects.create(
        mailbox=mailbox, folder_id="F1", name="Inbox", path=["Inbox"], kind="inbox", total=12, counted=9
    )


@pytest.mark.wording
def test_the_usual_difference_of_a_folder_is_on_its_page_and_in_the_api(admin, folder):
    page = reverse("mailbox", args=[folder.mailbox_id])
    assert "than it lists" not in admin.get(page).content.decode()
    SyncedFolder.objects.update(usual_difference=3)
    assert "Exchange counts 3 items more here than it lists." in admin.get(page).content.decode()
    (body,) = admin.get(f"/api/v1/mailboxes/{folder.mailbox_id}/folders").json()["results"]
    assert (body["total"], body["counted"], body["usual_difference"]) == (12, 9, 3)


def test_a_verification_that_compared_nothing_says_the_same_on_its_page_and_in_the_api(admin, mailbox):
    now = timezone.now()
    Verification.objects.create(
        mailbox=mailbox,
        started_at=now,
        ended_at=now,
        next_at=now,
        emails=4,
        waiting=4,
        error_text=verification.NEVER_SYNCED,
    )
    assert verification.NEVER_SYNCED in admin.get(reverse("mailbox", args=[mailbox.pk])).content.decode()
    body = admin.get(f"/api/v1/mailboxes/{mailbox.pk}/verification").json()
    assert (body["sentence"], body["error_text"]) == (verification.NEVER_SYNCED, verification.NEVER_SYNCED)
