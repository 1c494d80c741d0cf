"""Long lists: page by page by a cursor, filtered, and as many queries for a thousand rows as for one."""

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


def pages(api, url):
    """The rows of each page, to the end and back to the beginning."""
    found, there = [], []
    while url:
        page = api.get(url).json()
        there.append(page["results"])
        url, back = page["next"], page["previous"]
    while back:
        page = api.get(back).json()
        found.insert(0, page["results"])
        back = page["previous"]
    return there, [*found, there[-1]]


@pytest.mark.parametrize(("name", "ordering"), ORDERINGS)
def test_a_list_is_told_in_the_order_asked_for_and_the_same_on_the_way_back(api, many, name, ordering):
    there, back = pages(api, f"/api/v1/{name}?page_size=5&ordering={ordering}")
    assert there == back
    told = [row for page in there for row in page]
    key = {"project": "owner"}.get(ordering.lstrip("-"), ordering.lstrip("-"))
    if key in told[0] and name != "errors":
        assert [row[key] for row in told] == sorted((row[key] for row in told), reverse=ordering.startswith("-"))
    assert len({str(row) for row in told}) == len(told) >= 12


def test_where_all_rows_have_the_same_value_none_is_told_twice_and_none_left_out(api, many):
    SyncRun.objects.update(started_at=many.created_at)
    there, _ = pages(api, "/api/v1/runs?page_size=5&ordering=started_at")
    assert sorted(row["id"] for page in there for row in page) == sorted(SyncRun.objects.values_list("pk", flat=True))


def test_rows_that_come_and_go_between_two_pages_move_no_other(api, many):
    first = api.get("/api/v1/runs?page_size=5").json()
    factories.SyncRunFactory(mailbox=many)
    SyncRun.objects.filter(pk=first["results"][-1]["id"]).delete()
    second = api.get(first["next"]).json()
    assert second["results"][0]["id"] < first["results"][-1]["id"]
    assert len(second["results"]) == 5


@pytest.mark.parametrize(
    "cursor", ["nonsense", "ÿ", "W10=", "WyItaWQiLCAxLCAxLCBmYWxzZV0=", "WyJpZCIsICJhIiwgImEiLCBmYWxzZV0=", "W" * 3000]
)
def test_a_cursor_that_is_none_is_refused_in_words(api, many, cursor):
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
def test_a_parameter_that_is_not_known_or_makes_no_sense_is_refused(api, db, name, query):
    answer = api.get(f"/api/v1/{name}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


def test_the_cursor_of_tokens_tells_nothing_of_their_digests(api):
    for _ in range(3):
        api.post("/api/v1/tokens", {"name": "CI"}, format="json")
    there, back = pages(api, "/api/v1/tokens?page_size=1&ordering=-created")
    assert (there, len(there)) == (back, 4)
    assert "digest" not in str(api.get("/api/v1/tokens?page_size=1").json())


def test_many_mailboxes_are_started_stopped_and_listed_by_filter_and_never_all_by_mistake(api, many):
    place = f"integration_name={many.integration.name}"
    assert api.post(f"/api/v1/mailboxes/stop?{place}").json()["detail"] == "1 mailbox is stopped."
    assert api.get("/api/v1/mailboxes?enabled=false").json()["results"][0]["id"] == many.pk
    assert api.post(f"/api/v1/mailboxes/start?{place}").json()["detail"] == "1 mailbox is started."
    assert api.post(f"/api/v1/mailboxes/list-again?{place}").status_code == 202
    assert api.post(f"/api/v1/mailboxes/sync-now?{place}").status_code == 202
    for query, code in (("", 422), ("?integration_name=none", 422), ("?integration=1", 400)):
        assert api.post(f"/api/v1/mailboxes/stop{query}").status_code == code
    assert not many.__class__.objects.filter(enabled=False).exists()


def test_one_folder_is_listed_again(api, many):
    folder = many.folders.get()
    url = f"/api/v1/mailboxes/{many.pk}/folders/{folder.pk}"
    assert api.get(url).json()["path"] == folder.path
    answer = api.post(f"{url}/list-again")
    assert (answer.status_code, answer.json()["look_at"]) == (202, url)
    folder.refresh_from_db()
    assert (folder.cursor, folder.up_to_date) == ("", False)
    assert api.post(f"/api/v1/mailboxes/{many.pk + 1}/folders/{folder.pk}/list-again").status_code == 404


def test_the_history_tells_who_did_what(api, many):
    api.post(f"/api/v1/mailboxes/{many.pk}/stop")
    (act,) = api.get("/api/v1/history", {"about": "mailbox", "object_id": many.pk}).json()["results"]
    assert (act["who"], act["integration_id"], "stopped" in act["text"]) == ("administrator", many.integration_id, True)
    api.patch(f"/api/v1/buckets/{many.bucket_id}", {"monthly_limit": 5}, format="json")
    act = api.get("/api/v1/history?ordering=-at").json()["results"][0]
    assert act["changes"] == [{"what": "AI units a month", "before": "empty", "after": "5"}]


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
    pk = DeadLetter.objects.first().pk
    assert api.post(f"/api/v1/set-aside/{pk}/retry").status_code == 422  # stopped, and says so
    assert api.post(f"/api/v1/set-aside/{pk}/dismiss").status_code == 200
    assert api.get(f"/api/v1/set-aside/{pk}").json()["settled"] == "dismissed"


def test_overview_and_usage_answer(api, many):
    factories.LedgerEntryFactory(bucket=many.bucket, billed=True)
    told = api.get("/api/v1/overview").json()
    assert sum(told["mailboxes"].values()) == 13
    assert told["polls"] is None
    PollRate.objects.create(at=timezone.now(), needed=83.3, done=8.8)
    assert (
        api.get("/api/v1/overview").json()["polls"].items()
        >= {"needed_per_second": 83.3, "done_per_second": 8.8}.items()
    )
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
