"""A webhook is stored only if notifications may be sent to its URL, and no response contains its secret."""

from __future__ import annotations

import pytest

from notifications.models import Webhook

URL = "/api/v1/webhooks"
SECRET = "a secret of sixteen or more"


@pytest.mark.parametrize(
    "url",
    [
        *("http://93.184.216.34/", "https://10.0.0.1/", "https://localhost/", "https://[::1]/", "https://0.0.0.0/"),
        *("https://169.254.169.254/latest/meta-data", "https://[::ffff:10.0.0.1]/", "https://ann:pw@93.184.216.34/"),
    ],
)
def test_a_url_to_which_no_notification_may_be_sent_is_rejected_when_it_is_entered(api, url):
    answer = api.post(URL, {"url": url, "secret": SECRET}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
    assert Webhook.objects.count() == 0


def test_private_addresses_can_be_allowed(api, settings):
    settings.NOTICES_ALLOW_PRIVATE = True
    assert api.post(URL, {"url": "http://127.0.0.1:8080/in", "secret": SECRET}, format="json").status_code == 201


def test_a_webhook_is_stored_listed_and_deleted_and_no_response_contains_its_secret(api):
    made = api.post(
        URL, {"url": "https://93.184.216.34/in", "secret": SECRET, "events": ["budget_reached"]}, format="json"
    )
    assert made.status_code == 201, made.content
    row = Webhook.objects.get()
    assert (row.secret.reveal(), row.events) == (SECRET, ["budget_reached"])
    one = f"{URL}/{made.json()['id']}"
    for answer in (made, api.get(URL), api.get(one)):
        assert SECRET not in answer.content.decode()
    assert [api.delete(one).status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"secret": "short"}, "secret"), ({"events": ["nothing"]}, "events"), ({"events": "all"}, "events")],
)
def test_an_invalid_value_is_rejected_with_the_name_of_its_field(api, change, field):
    answer = api.post(URL, {"url": "https://93.184.216.34/", "secret": SECRET, **change}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"].partition(".")[0]) == (400, field)
