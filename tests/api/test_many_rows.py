"""A hundred thousand rows: the last page costs what the first one does."""

from __future__ import annotations

import time
import tracemalloc
from base64 import b64encode
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.models import SyncRun
from tests import factories

MANY = 100_000


@pytest.fixture
def runs(db):
    mailbox, now = factories.MailboxFactory(), timezone.now()
    SyncRun.objects.bulk_create(
        [SyncRun(mailbox=mailbox, started_at=now - timedelta(seconds=number)) for number in range(MANY)],
        batch_size=5000,
    )
    return list(SyncRun.objects.order_by("-pk").values_list("pk", flat=True))


def asked(api, cursor):
    url = "/api/v1/runs" + (f"?{urlencode({'cursor': cursor})}" if cursor else "")
    tracemalloc.start()
    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as seen:
        answer = api.get(url)
    took, (_, peak) = time.perf_counter() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [row["id"] for row in answer.json()["results"]], len(seen), took, peak


def behind(pk):
    return b64encode(f"p={pk}".encode()).decode()


def test_the_last_page_costs_what_the_first_one_does(api, runs):
    asked(api, None)  # what is loaded with the first request is no matter of pages
    first, first_queries, first_took, first_peak = asked(api, None)
    last, last_queries, last_took, last_peak = asked(api, behind(runs[-101]))
    assert (first, last) == (runs[:100], runs[-100:])
    assert last_queries == first_queries
    assert last_peak < 2 * first_peak < 8_000_000
    assert last_took < 5 * first_took + 0.05
