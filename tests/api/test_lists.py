"""Lists: cursors, orderings, filters, and a number of queries that does not depend on the number of rows.

Further tests: actions on many mailboxes, folders and failed emails, the overview, and the preview of an email.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.models import DeadLetter, PollRate, SyncRun
from tests import factories
from tests.mails import mail

ORDERINGS = [
    *[(name, sign + "id") for name in ("runs", "errors", "set-aside", "mailboxes", "buckets") for sign in ("", "-")],
    *[("runs", "-started_at"), ("errors", "started_at"), ("set-aside", "last_at"), ("set-aside", "-first_at")],
    *[("mailboxes", "email"), ("mailboxes", "-updated_at"), ("integrations", "project"), ("integrations", "-name")],
    *[("destinations", "name"), ("destinations", "-updated_at"), ("buckets", "project_name"), ("buckets", "name")],
]
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
        factories.DeadLetterFactory(folder=folder, mailbox=folder.mailbox)
    return folder.mailbox


@pytest.mark.parametrize("name", LISTS)
def test_the_number_of_queries_of_a_list_does_not_depend_on_the_rows(api, many, name):
    def queries(size):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = api.get(f"/api/v1/{name}", {"page_size": size})
        assert len(answer.json()["results"]) == size
        return len(seen)

    assert queries(12) == queries(1) <= 12


@pytest.mark.parametrize("name", LISTS)
def test_the_pages_of_a_list_contain_every_row_once(api, many, name):
    seen, url = [], f"/api/v1/{name}?page_size=5"
    while url:
        page = api.get(url).json()
        seen += [str(row.get("id") or row.get("name")) for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) >= 12


def pages(api, url):
    """Return the rows of each page twice: read forwards by `next`, and then backwards by `previous`."""
    backwards, forwards = [], []
    while url:
        page = api.get(url).json()
        forwards.append(page["results"])
        url, back = page["next"], page["previous"]
    while back:
        page = api.get(back).json()
        backwards.insert(0, page["results"])
        back = page["previous"]
    return forwards, [*backwards, forwards[-1]]


@pytest.mark.parametrize(("name", "ordering"), ORDERINGS)
def test_a_list_has_the_requested_order_forwards_and_backwards(api, many, name, ordering):
    forwards, backwards = pages(api, f"/api/v1/{name}?page_size=5&ordering={ordering}")
    assert forwards == backwards
    rows = [row for page in forwards for row in page]
    key = {"project": "owner"}.get(ordering.lstrip("-"), ordering.lstrip("-"))
    if key in rows[0] and name != "errors":
        assert [row[key] for row in rows] == sorted((row[key] for row in rows), reverse=ordering.startswith("-"))
    assert len({str(row) for row in rows}) == len(rows) >= 12


def test_rows_with_the_same_value_of_the_ordering_are_listed_exactly_once(api, many):
    SyncRun.objects.update(started_at=many.created_at)
    forwards, _ = pages(api, "/api/v1/runs?page_size=5&ordering=started_at")
    assert sorted(row["id"] for page in forwards for row in page) == sorted(
        SyncRun.objects.values_list("pk", flat=True)
    )


def test_rows_that_are_added_and_deleted_between_two_pages_do_not_move_other_rows(api, many):
    first = api.get("/api/v1/runs?page_size=5").json()
    factories.SyncRunFactory(mailbox=many)
    SyncRun.objects.filter(pk=first["results"][-1]["id"]).delete()
    second = api.get(first["next"]).json()
    assert second["results"][0]["id"] < first["results"][-1]["id"]
    assert len(second["results"]) == 5


@pytest.mark.parametrize(
    "cursor", ["nonsense", "ÿ", "W10=", "WyItaWQiLCAxLCAxLCBmYWxzZV0=", "WyJpZCIsICJhIiwgImEiLCBmYWxzZV0=", "W" * 3000]
)
def test_an_invalid_cursor_is_rejected(api, many, cursor):
    answer = api.get("/api/v1/runs", {"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


def test_the_cursor_of_another_ordering_is_refused(api, many):
    page = api.get("/api/v1/runs?page_size=5").json()
    assert api.get(page["next"] + "&ordering=started_at").status_code == 400


@pytest.mark.parametrize("name", [*LISTS, "webhooks", "tokens", "history"])
@pytest.mark.parametrize(
    "query",
    ["colour=blue", "ordering=colour", "ordering=", "page_size=0", "page_size=1001", "page_size=x", "format=xml"],
)
def test_an_unknown_parameter_or_an_invalid_value_is_rejected(api, db, name, query):
    answer = api.get(f"/api/v1/{name}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize(
    "number", ["-1", "1.0", "٣", str(2**63), "0" * 30 + "9" * 30, "9" * 5000], ids=lambda it: it[:20]
)
def test_a_filter_rejects_anything_but_a_whole_number_that_the_database_can_store(api, db, number):
    answer = api.get("/api/v1/runs", {"mailbox": number})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == f"It must be a whole number from 0 to {2**63 - 1}."


def test_the_cursor_of_tokens_does_not_contain_their_digests(api):
    for _ in range(3):
        api.post("/api/v1/tokens", {"name": "CI"}, format="json")
    forwards, backwards = pages(api, "/api/v1/tokens?page_size=1&ordering=-created")
    assert (forwards, len(forwards)) == (backwards, 4)
    assert "digest" not in str(api.get("/api/v1/tokens?page_size=1").json())


def test_actions_on_many_mailboxes_require_a_filter_that_matches_a_mailbox(api, many):
    place = f"integration_name={many.integration.name}"
    assert api.post(f"/api/v1/mailboxes/stop?{place}").json()["detail"] == "1 mailbox is stopped."
    assert api.get("/api/v1/mailboxes?enabled=false").json()["results"][0]["id"] == many.pk
    assert api.post(f"/api/v1/mailboxes/start?{place}").json()["detail"] == "1 mailbox is started."
    assert api.post(f"/api/v1/mailboxes/list-again?{place}").status_code == 202
    assert api.post(f"/api/v1/mailboxes/sync-now?{place}").status_code == 202
    for query, code in (("", 422), ("?integration_name=none", 422), ("?integration=1", 400)):
        assert api.post(f"/api/v1/mailboxes/stop{query}").status_code == code
    assert not many.__class__.objects.filter(enabled=False).exists()


def test_a_full_resync_of_one_folder_resets_its_cursor(api, many):
    folder = many.folders.get()
    url = f"/api/v1/mailboxes/{many.pk}/folders/{folder.pk}"
    assert api.get(url).json()["path"] == folder.path
    answer = api.post(f"{url}/list-again")
    assert (answer.status_code, answer.json()["look_at"]) == (202, url)
    folder.refresh_from_db()
    assert (folder.cursor, folder.up_to_date) == ("", False)
    assert api.post(f"/api/v1/mailboxes/{many.pk + 1}/folders/{folder.pk}/list-again").status_code == 404


def test_the_audit_log_contains_actor_and_changes(api, many):
    api.post(f"/api/v1/mailboxes/{many.pk}/stop")
    (entry,) = api.get("/api/v1/history", {"about": "mailbox", "object_id": many.pk}).json()["results"]
    assert (entry["who"], entry["integration_id"], "stopped" in entry["text"]) == (
        "administrator",
        many.integration_id,
        True,
    )
    api.patch(f"/api/v1/buckets/{many.bucket_id}", {"monthly_limit": 5}, format="json")
    entry = api.get("/api/v1/history?ordering=-at").json()["results"][0]
    assert entry["changes"] == [{"what": "AI units a month", "before": "empty", "after": "5"}]


def test_lists_can_be_filtered(api, many):
    other = factories.SyncRunFactory(outcome="done")
    assert [row["id"] for row in api.get("/api/v1/runs", {"mailbox": other.mailbox_id}).json()["results"]] == [other.pk]
    assert len(api.get("/api/v1/errors", {"kind": "exchange_busy"}).json()["results"]) == 12
    assert api.get("/api/v1/errors", {"kind": "other"}).json()["results"] == []
    assert api.get("/api/v1/runs", {"since": "yesterday"}).status_code == 400
    assert api.get("/api/v1/runs", {"since": "2099-01-01T00:00:00Z"}).json()["results"] == []


def test_an_error_has_the_format_of_the_vendor(api, many):
    (first, *_) = api.get("/api/v1/errors").json()["results"]
    assert first["error_details"] == {"kind": "exchange_busy", "full_error_text": "Busy."}
    assert first["mailbox_name"] == many.address


def test_a_failed_email_of_a_stopped_mailbox_cannot_be_retried_but_can_be_dismissed(api, many):
    many.integration.__class__.objects.filter(pk=many.integration_id).update(enabled=False, disabled_reason="user")
    pk = DeadLetter.objects.first().pk
    assert api.post(f"/api/v1/set-aside/{pk}/retry").status_code == 422  # the mailbox is stopped
    assert api.post(f"/api/v1/set-aside/{pk}/dismiss").status_code == 200
    assert api.get(f"/api/v1/set-aside/{pk}").json()["settled"] == "dismissed"


def test_overview_and_usage_return_counts(api, many):
    factories.LedgerEntryFactory(bucket=many.bucket, billed=True)
    overview = api.get("/api/v1/overview").json()
    assert sum(overview["mailboxes"].values()) == 13
    assert overview["polls"] is None
    PollRate.objects.create(at=timezone.now(), needed=83.3, done=8.8)
    assert (
        api.get("/api/v1/overview").json()["polls"].items()
        >= {"needed_per_second": 83.3, "done_per_second": 8.8}.items()
    )
    usage = api.get("/api/v1/usage").json()
    assert usage["ai_units"] == 1


def test_an_email_is_previewed_or_rejected_with_the_reason(api):
    mime = mail("a", body="Hello.")
    answer = api.post("/api/v1/preview", mime, content_type="message/rfc822")
    assert answer.json()["comment"]["messages"][0]["body"]["text"] == "Hello."
    assert "no_email" in api.post("/api/v1/preview", b"\x00\xff", content_type="message/rfc822").json()["rejection"]


def test_a_client_above_the_rate_limit_gets_the_time_to_wait(api, settings):
    from api.throttling import PerToken

    rate, PerToken.THROTTLE_RATES = PerToken.THROTTLE_RATES, {"token": "3/min"}
    try:
        statuses = [api.get("/api/v1/usage") for _ in range(4)]
    finally:
        PerToken.THROTTLE_RATES = rate
    assert [answer.status_code for answer in statuses] == [200, 200, 200, 429]
    assert int(statuses[3]["Retry-After"]) > 0
    assert SyncRun.objects.count() == 0
