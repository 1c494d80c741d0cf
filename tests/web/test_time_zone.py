"""Times are shown and read in the time zone of the browser."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from mailboxes.models import Mailbox
from tests import factories

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def shown(client, zone):
    client.cookies["time_zone"] = zone
    mailbox = Mailbox.objects.first() or factories.MailboxFactory(start_at=NOON)
    return client.get(reverse("mailbox", args=[mailbox.pk])).content.decode()


def test_a_time_is_shown_in_the_zone_of_the_browser(admin):
    assert "4 Mar 2026, 13:00 CET" in shown(admin, "Europe/Berlin")
    assert "4 Mar 2026, 17:30 IST" in shown(admin, "Asia/Kolkata")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "Europe/Berlin\x00", "x" * 5000])
def test_an_invalid_time_zone_is_replaced_by_that_of_the_server(admin, zone):
    assert "4 Mar 2026, 12:00 UTC" in shown(admin, zone)


def test_a_start_time_is_read_in_the_time_zone_of_its_form(admin):
    mailbox = factories.MailboxFactory(start_at=None)
    admin.cookies["time_zone"] = "America/New_York"
    page = admin.get(reverse("mailbox-edit", args=[mailbox.pk]))
    assert "Start time (America/New_York)" in page.content.decode()
    form = page.context["form"]
    sent = {name: field.value() or "" for name, field in ((f.name, f) for f in form)} | {
        "start_at": "2026-03-04T07:00",
        "bucket_choice": str(mailbox.bucket_id),
    }
    admin.post(reverse("mailbox-edit", args=[mailbox.pk]), sent)
    mailbox.refresh_from_db()
    assert mailbox.start_at == NOON
