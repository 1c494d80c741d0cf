"""Actions on many mailboxes: on the ticked mailboxes, or on all that match the filter."""

import pytest
from django.urls import reverse

from mailboxes.models import Mailbox
from tests.factories import IntegrationFactory, MailboxFactory, MailboxStateFactory


@pytest.fixture
def boxes(db):
    integration = IntegrationFactory(enabled=True, disabled_reason="")
    made = [MailboxFactory(integration=integration, address=f"{name}@x.example") for name in ("a", "b", "c")]
    for mailbox in made:
        MailboxStateFactory(mailbox=mailbox)
    return made


def press(admin, boxes, act, query="", **fields):
    return admin.post(
        reverse("integration-select", args=[boxes[0].integration_id]) + query, {"act": act, **fields}, follow=True
    )


def running():
    return set(Mailbox.objects.filter(enabled=True).values_list("address", flat=True))


def test_only_ticked_mailboxes_are_stopped_and_started_again(admin, boxes):
    page = press(admin, boxes, "stop", mailbox=[boxes[0].pk, boxes[2].pk])
    assert "2 mailboxes are stopped." in page.content.decode()
    assert running() == {"b@x.example"}
    press(admin, boxes, "start", mailbox=[boxes[0].pk])
    assert running() == {"a@x.example", "b@x.example"}


def test_the_box_all_selects_every_mailbox_that_matches_the_filter(admin, boxes):
    press(admin, boxes, "stop", query="?q=b%40", all="shown")
    assert running() == {"a@x.example", "c@x.example"}


@pytest.mark.parametrize("fields", [{}, {"mailbox": ["x"]}, {"mailbox": ["999999"]}])
def test_without_a_ticked_mailbox_nothing_is_done(admin, boxes, fields):
    assert "Tick the mailboxes first" in press(admin, boxes, "stop", **fields).content.decode()
    assert len(running()) == 3


def test_mailboxes_of_another_integration_are_not_changed(admin, boxes):
    other = MailboxFactory(address="other@x.example")
    press(admin, boxes, "stop", mailbox=[other.pk])
    assert "other@x.example" in running()


def test_stopped_mailboxes_are_not_made_due(admin, boxes):
    press(admin, boxes, "stop", all="shown")
    assert (
        "These mailboxes or their integrations are stopped. Start them first."
        in press(admin, boxes, "sync-now", all="shown").content.decode()
    )


def test_500_of_603_mailboxes_are_listed_and_all_can_be_stopped(admin, boxes):
    of = {"integration": boxes[0].integration, "bucket": boxes[0].bucket}
    Mailbox.objects.bulk_create(Mailbox(address=f"d{number}@x.example", **of) for number in range(600))
    page = admin.get(reverse("integration-select", args=[boxes[0].integration_id])).text
    assert page.count('name="mailbox"') == 500
    assert "All 603 that match" in page
    press(admin, boxes, "stop", all="shown")
    assert running() == set()
