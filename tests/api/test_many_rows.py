"""Lists of a hundred thousand rows.

The last page takes as many queries as the first page, and at most about twice as many database steps and twice the memory.
"""

from __future__ import annotations

import json
import tracemalloc
from base64 import urlsafe_b64encode
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import ApiToken, AuditEntry
from api.views.base import Listed
from mailboxes.models import Mailbox
from notifications.models import Webhook
from tests import factories
from tests.api.test_permissions import routes

MANY = 100_000
NESTED = "integrations/operations/many/mailboxes"
COUNT = "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < %s)"
TEXT = "CAST(n AS VARCHAR)"
UUID = {"sqlite": "LOWER(HEX(RANDOMBLOB(16)))", "postgresql": "GEN_RANDOM_UUID()"}


def run(**fields):
    return lambda: factories.SyncRunFactory(**fields)


def mailbox():
    return factories.MailboxFactory(integration=factories.IntegrationFactory(name="many"))


def token():
    return ApiToken.objects.create(User.objects.get(), name="CI")[0]


LISTS = {
    "runs": (run(), {}),
    "errors": (run(outcome="failed"), {}),
    "set-aside": (factories.DeadLetterFactory, {"item_id": TEXT}),
    "mailboxes": (mailbox, {"address": TEXT}),
    NESTED: (mailbox, {"address": TEXT}),
    "mailboxes/77/folders": (lambda: factories.SyncedFolderFactory(mailbox__pk=77), {"folder_id": TEXT}),
    "mailboxes/77/folders-not-read": (
        lambda: factories.SyncedFolderFactory(mailbox__pk=77, holds_mail=False),
        {"folder_id": TEXT},
    ),
    "integrations": (factories.IntegrationFactory, {"name": TEXT}),
    "destinations": (factories.DestinationFactory, {"name": TEXT}),
    "buckets": (factories.BucketFactory, {"name": TEXT}),
    "history": (lambda: AuditEntry.objects.create(at=timezone.now(), who="ann", text="did"), {}),
    "webhooks": (lambda: Webhook.objects.create(url="https://hooks.example/"), {}),
    "tokens": (token, {"digest": TEXT, "token_key": "''", "public_id": UUID[connection.vendor]}),
}
"""By path: the function that creates the first row, and SQL expressions for the columns that must differ in each row."""


def stored(make, other):
    """Create a row, and `MANY` copies of the row with one SQL statement, which takes about a second. Return the model."""
    row = make()
    columns = [field.column for field in row._meta.concrete_fields if field.column != "id"]
    table, primary = row._meta.db_table, row._meta.pk.column
    values = ", ".join(other.get(column, f"t.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"{COUNT} SELECT {values} FROM {table} t, count WHERE t.{primary} = %s",
            [MANY, row.pk.hex if hasattr(row.pk, "hex") else row.pk],
        )
        cursor.execute("ANALYZE")
    return type(row)


@contextmanager
def steps_counted():
    """Yield a list with one entry: the number of steps of SQLite in the block, in thousands.

    Steps, unlike seconds, do not depend on the load of the machine. With PostgreSQL the number is 0.
    """
    steps = [0]

    def step():
        steps[0] += 1

    if connection.vendor != "sqlite":
        yield steps
        return
    connection.ensure_connection()
    connection.connection.set_progress_handler(step, 1000)
    try:
        yield steps
    finally:
        connection.connection.set_progress_handler(None, 0)


def measured(api, url):
    """Return the response data, the queries, the thousands of database steps, and the peak memory in bytes of a GET."""
    with CaptureQueriesContext(connection) as seen, steps_counted() as steps:
        answer = api.get(url)
    tracemalloc.start()
    api.get(url)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 200, answer.content
    return answer.json(), len(seen), steps[0], peak


def behind(row, key):
    """Return the cursor of the page that begins after this row, in descending order of the id."""
    value = str(getattr(row, key))
    return urlsafe_b64encode(json.dumps(["-id", value, value, False]).encode()).decode()


def test_every_list_of_the_api_is_measured():
    lists = [pattern for pattern in routes() if issubclass(pattern.callback.cls, Listed)]
    assert len(lists) == len(LISTS)


@pytest.mark.long
@pytest.mark.parametrize("name", LISTS)
def test_the_last_page_costs_at_most_about_twice_as_much_as_the_first_one(api, name):
    model = stored(*LISTS[name])
    key = next(p.callback.cls for p in routes() if p.pattern.match(f"api/v1/{name}")).key
    url = f"/api/v1/{name}?ordering=-id"
    measured(api, url)  # this first request also loads modules and fills caches, so it is not compared
    first, first_queries, first_steps, first_peak = measured(api, url)
    row = model.objects.order_by(key)[100]
    last, last_queries, last_steps, last_peak = measured(api, f"{url}&cursor={behind(row, key)}")
    assert len(first["results"]) == len(last["results"]) == 100
    assert last["next"] is None
    assert last_queries == first_queries <= 20
    assert last_peak < 2 * first_peak < 16_000_000
    assert last_steps <= 2 * first_steps + 10


@pytest.mark.long
@pytest.mark.parametrize("query", ["ordering=email", "ordering=-updated_at", "status=waiting", "email=77"])
def test_an_ordering_or_filter_without_an_index_needs_limited_memory_and_steps(api, query):
    stored(*LISTS["mailboxes"])
    measured(api, "/api/v1/mailboxes?page_size=1")
    _, queries, steps, peak = measured(api, f"/api/v1/mailboxes?{query}")
    assert queries <= 20
    assert peak < 8_000_000
    assert steps < MANY  # less than 1,000 steps per row: sorting takes about 200, a quadratic algorithm 100,000
    assert Mailbox.objects.count() > MANY
