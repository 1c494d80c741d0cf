"""Long lists: page by page by a cursor, filtered, and as many queries for a thousand rows as for one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sync.models import SetAsideEmail, SyncRun
from tests import factories
from tests.mails import mail

LISTS = ("runs", "errors", "set-aside", "mailboxes", "integrations", "destinations", "buckets")


@pytest.fixture
def many(db):
    folder = factories.SyncedFolderFactory()
    factories.MailboxStateFactory(mailbox=folder.mailbox)
    for _ in range(12):
        factories.MailboxStateFactory()
        factories.SyncRunFactory(
            mailbox=folder.mailbox, outcome="failed", error_kind="exchange_busy", error_text="Busy."
        )
        factories.SetAsideEmailFactory(folder=folder, mailbox=folder.mailbox)
    return folder.mailbox


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_as_many_queries_for_many_rows_as_for_one(api, many, name):
    def queries(size):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = api.get(f"/api/v1/{name}", {"page_size": size})
        assert len(answer.json()["results"]) == size
        return len(seen)

    assert queries(12) == queries(1) <= 12


@pytest.mark.parametrize("name", LISTS)
def test_the_pages_of_a_list_hold_everything_once(api, many, name):
    seen, url = [], f"/api/v1/{name}?page_size=5"
    while url:
        page = api.get(url).json()
        seen += [str(row.get("id") or row.get("name")) for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) >= 12


def test_lists_can_be_filtered(api, many):
    other = factories.SyncRunFactory(outcome="done")
    assert [row["id"] for row in api.get("/api/v1/runs", {"mailbox": other.mailbox_id}).json()["results"]] == [other.pk]
    assert len(api.get("/api/v1/errors", {"kind": "exchange_busy"}).json()["results"]) == 12
    assert api.get("/api/v1/errors", {"kind": "other"}).json()["results"] == []
    assert api.get("/api/v1/runs", {"since": "yesterday"}).status_code == 400
    assert api.get("/api/v1/runs", {"since": "2099-01-01T00:00:00Z"}).json()["results"] == []


def test_an_error_is_told_as_the_vendor_tells_it(api, many):
    (first, *_) = api.get("/api/v1/errors").json()["results"]
    assert first["error_details"] == {"kind": "exchange_busy", "full_error_text": "Busy."}
    assert first["mailbox_name"] == many.address


def test_set_aside_emails_are_retried_and_dismissed(api, many):
    many.integration.__class__.objects.filter(pk=many.integration_id).update(enabled=False, disabled_reason="user")
    pk = SetAsideEmail.objects.first().pk
    assert api.post(f"/api/v1/set-aside/{pk}/retry").status_code == 422  # stopped, and says so
    assert api.post(f"/api/v1/set-aside/{pk}/dismiss").status_code == 200
    assert api.get(f"/api/v1/set-aside/{pk}").json()["settled"] == "dismissed"


def test_overview_and_usage_answer(api, many):
    factories.LedgerEntryFactory(bucket=many.bucket, billed=True)
    assert sum(api.get("/api/v1/overview").json()["mailboxes"].values()) == 13
    usage = api.get("/api/v1/usage").json()
    assert usage["ai_units"] == 1


def test_an_email_is_previewed(api):
    mime = mail("a", body="Hello.")
    answer = api.post("/api/v1/preview", mime, content_type="message/rfc822")
    assert answer.json()["comment"]["messages"][0]["body"]["text"] == "Hello."
    assert "no_email" in api.post("/api/v1/preview", b"\x00\xff", content_type="message/rfc822").json()["rejection"]


def test_who_asks_too_often_is_told_when_to_go_on(api, settings):
    from api.throttling import PerToken

    rate, PerToken.THROTTLE_RATES = PerToken.THROTTLE_RATES, {"token": "3/min"}
    try:
        statuses = [api.get("/api/v1/usage") for _ in range(4)]
    finally:
        PerToken.THROTTLE_RATES = rate
    assert [answer.status_code for answer in statuses] == [200, 200, 200, 429]
    assert int(statuses[3]["Retry-After"]) > 0
    assert SyncRun.objects.count() == 0
