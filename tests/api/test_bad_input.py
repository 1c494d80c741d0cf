"""Every invalid request gets a 4xx response with problem details and changes nothing."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache

from access.models import AuditEntry
from conversion.preview import MAX_BYTES
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from notifications.models import Webhook
from tests import factories
from tests.api.conftest import client_of
from tests.api.test_integrations import URL, document

SETTINGS = {"name": "P", "endpoint": "https://re.example", "token": "t" * 20}
MAILBOX = {"email": "new@bank.example", "bucket_specification": {"project_name": "bank", "name": "claims"}}


@pytest.fixture
def mailbox(api):
    """A mailbox with its bucket, destination and integration, and another integration."""
    mailbox = factories.MailboxFactory(bucket__destination__name="Production")
    factories.IntegrationFactory(project="bank", name="trades")
    return mailbox


@pytest.fixture
def unchanged(mailbox):
    """The fixture `mailbox`. After the test, the rows of `snapshot` must be as before."""
    before = snapshot()
    yield mailbox
    assert snapshot() == before


def snapshot():
    return [
        list(model.objects.order_by("pk").values()) for model in (Destination, Integration, Bucket, Mailbox, Webhook)
    ]


def bodies(mailbox):
    """Return a valid body for each method and URL that these tests use. They are most of the URLs that accept JSON."""
    integration = f"/api/v1/integrations/{mailbox.integration.project}/{mailbox.integration.name}"
    return {
        ("POST", "/api/v1/destinations"): SETTINGS,
        ("PATCH", f"/api/v1/destinations/{mailbox.bucket.destination_id}"): SETTINGS,
        ("POST", "/api/v1/destinations/try"): SETTINGS,
        ("POST", "/api/v1/buckets"): {"destination": mailbox.bucket.destination_id, "project_name": "a", "name": "b"},
        ("PATCH", f"/api/v1/buckets/{mailbox.bucket_id}"): {"monthly_limit": 5},
        ("PUT", URL): document(),
        ("POST", f"{URL}/try"): document(),
        ("POST", f"{integration}/mailboxes"): MAILBOX,
        ("PATCH", f"/api/v1/mailboxes/{mailbox.pk}"): MAILBOX,
        ("POST", f"/api/v1/mailboxes/{mailbox.pk}/filter-preview"): MAILBOX,
        ("POST", "/api/v1/webhooks"): {"url": "https://93.184.216.34/", "secret": "s" * 16},
        ("POST", "/api/v1/tokens"): {"name": "CI"},
    }


def refused(answer, *codes):
    """Assert that a response is an error with problem details and one of these status codes."""
    assert answer.status_code in codes, (answer.status_code, answer.content)
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]


def sent(api, method, url, body, content_type="application/json"):
    """Send a request that the rate limit does not reject, and return the response."""
    cache.clear()
    return api.generic(method, url, body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b"", (200, 400, 422)),  # an empty PATCH is valid and changes nothing
        (b"{", (400,)),
        (b"\xff\xfe{}", (400,)),
        (b'"text"', (400,)),
        (b"[]", (400,)),
        (b"7", (400,)),
        (b"null", (400,)),
        (b"NaN", (400,)),
        (b"[" * 100_000, (400,)),
        (b'{"a":' * 50_000, (400,)),
        (b"1" * 5000, (400,)),
        (b'{"name": ' + b"9" * 5000 + b"}", (400, 422)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_not_an_object_is_rejected_by_every_url_that_accepts_a_body(api, unchanged, body, codes):
    for method, url in bodies(unchanged):
        answer = sent(api, method, url, body)
        assert answer.status_code in codes, (method, url, answer.content)
        if answer.status_code != 200:
            refused(answer, *codes)


def test_a_body_of_ten_megabytes_is_rejected_by_every_url(api, unchanged):
    big = b'{"name": "' + b"a" * 10_000_000 + b'"}'
    for method, url in bodies(unchanged):
        refused(sent(api, method, url, big), 413)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "x"]
)
def test_another_content_type_is_rejected_by_every_url(api, unchanged, content_type):
    for (method, url), body in bodies(unchanged).items():
        refused(sent(api, method, url, json.dumps(body), content_type), 415)


@pytest.mark.parametrize(
    "value",
    ["a\0b", "\ud800", 2**70, -1, 1.5, 1e308, True, None, [], {}, [[["x"]]], "x" * 100_000],
    ids=lambda v: str(v)[:12],
)
def test_no_value_of_any_key_causes_a_server_error(api, mailbox, value):
    for (method, url), body in bodies(mailbox).items():
        if "/try" in url:
            continue  # some of these values are valid and would start a connection test
        for key in body:
            answer = sent(api, method, url, json.dumps({**body, key: value}))
            assert answer.status_code < 500, (method, url, key, answer.content)
            if isinstance(value, str) and key != "token" and len(value) < 10:
                refused(answer, 400, 409, 422)


def test_unknown_keys_are_rejected_by_every_url(api, unchanged):
    for (method, url), body in bodies(unchanged).items():
        answer = sent(api, method, url, json.dumps({**body, "colour": 1}))
        refused(answer, 400, 422)
        assert "colour" in answer.content.decode()


@pytest.mark.parametrize("name", ["%00", "%ff", "a%2Fb", "..", "a" * 5000, "%F0%9F%92%A9", "a b", "1; DROP TABLE"])
def test_a_strange_name_in_a_url_is_rejected(api, unchanged, name):
    for url in (f"/api/v1/integrations/{name}/x", f"/api/v1/mailboxes/{name}", f"/api/v1/tokens/{name}"):
        for method in ("GET", "PUT", "DELETE"):
            answer = sent(api, method, url, json.dumps(document()))
            assert answer.status_code in (404, 405, 422), (url, answer.content)
            assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("pk", [0, 2**63 - 1, 2**63, 10**30, -1])
def test_a_primary_key_that_does_not_exist_is_not_found(api, unchanged, pk):
    for thing in ("destinations", "buckets", "mailboxes", "set-aside", "webhooks"):
        assert sent(api, "GET", f"/api/v1/{thing}/{pk}", b"").status_code == 404


@pytest.mark.parametrize(
    "query", ["bucket=x", "bucket=-1", "bucket=99999999999999999999", "enabled=maybe", "email=%00", "bucket="]
)
def test_an_invalid_value_of_a_filter_is_rejected_with_the_name_of_the_filter(api, unchanged, query):
    answer = api.get(f"/api/v1/mailboxes?{query}")
    refused(answer, 400)
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_the_second_creation_is_a_conflict_and_the_second_deletion_is_not_found(api, mailbox):
    for method, url in (("POST", "/api/v1/destinations"), ("POST", "/api/v1/buckets")):
        body = json.dumps(bodies(mailbox)[method, url])
        made = sent(api, method, url, body)
        assert made.status_code == 201
        refused(sent(api, method, url, body), 409)
        one = f"{url}/{made.json()['id']}"
        assert [sent(api, "DELETE", one, b"").status_code for _ in range(2)] == [204, 404]


def test_a_token_of_another_user_is_not_found(api):
    mine = api.post("/api/v1/tokens", {"name": "CI"}, format="json").json()["id"]
    other = client_of("Operator")
    assert other.get("/api/v1/tokens").json()["results"][0]["id"] != mine
    refused(other.delete(f"/api/v1/tokens/{mine}"), 404)
    assert mine in api.get("/api/v1/tokens").content.decode()


@pytest.mark.parametrize("query", ["dry_run=maybe", "dryrun=1", "dry-run=1", "unknown=yes", "dry_run=1&force=1"])
def test_a_typing_error_in_the_parameter_dry_run_changes_nothing(api, unchanged, query):
    refused(sent(api, "PUT", f"{URL}?{query}", json.dumps(document())), 400)
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("address", ["nonsense", "a\0@b.example", "a@b@c.example"])
def test_the_mailbox_to_test_with_must_be_an_email_address(api, unchanged, address):
    refused(api.post(f"{URL}/check?address={address}"), 400)


def test_an_email_that_is_too_large_is_rejected(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    refused(sent(api, "POST", "/api/v1/preview", b"x" * (MAX_BYTES + 1), "message/rfc822"), 413)


def test_the_response_to_too_many_requests_contains_the_time_to_wait(api, monkeypatch):
    monkeypatch.setattr("api.throttling.PerToken.get_rate", lambda self: "2/min")
    answers = [api.get("/api/v1/usage") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused(answers[2], 429)
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    # Each token has a separate rate limit, even if the tokens belong to the same user.
    other = client_of("Administrator")
    assert other.get("/api/v1/usage").status_code == 200


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/nothing", "/api/v2/usage", "/api/v1/usage/"])
def test_the_response_to_an_unknown_url_has_problem_details(api, path):
    for method in ("GET", "POST", "DELETE"):
        refused(sent(api, method, path, b"{}"), 404)


def test_the_response_to_an_unsupported_method_or_format_has_problem_details(api):
    refused(api.delete("/api/v1/usage"), 405)
    refused(api.generic("TRACE", "/api/v1/runs?cursor=0"), 405)
    refused(api.get("/api/v1/usage", headers={"Accept": "text/html"}), 406)
    refused(client_of("nobody").get("/api/schema"), 401)
