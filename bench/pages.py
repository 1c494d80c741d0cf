"""Benchmark: database queries and milliseconds of the pages in a large installation."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from demo.table import table

MAX_QUERIES, MAX_MS = 30, 300
"""The limits for each page."""
BATCH = 5_000
"""Rows per insert."""
DAYS = 180
"""Number of days over which the creation times of the comments are distributed."""
DAYS_KEPT = 22
"""Number of days for which a mailbox has a count of emails, including today."""
SILENT = 100
"""One of every `SILENT` mailboxes had no email yesterday and today."""
ROUNDS = 3
OK = 200


def run(mailboxes: int, comments: int) -> int:
    """Print the figures. Return 1 if a page exceeds `MAX_QUERIES` or `MAX_MS`; otherwise 0.

    `DATABASE_URL` names the database, which must be empty. Without `DATABASE_URL`, a new SQLite database is used.
    """
    with tempfile.TemporaryDirectory() as folder:
        _set_up(Path(folder))
        _fill(mailboxes, comments)
        _vacuum()
        rows = [_measured(path) for path in _paths()]
    print(
        table(
            ["page", "queries", "ms", "CPU ms", "kB"],
            [[path, queries, f"{ms:.0f}", f"{cpu:.0f}", size // 1000] for path, queries, ms, cpu, size in rows],
        )
    )
    return int(any(queries > MAX_QUERIES or ms > MAX_MS for _, queries, ms, _, _ in rows))


def _set_up(folder: Path) -> None:
    from cryptography.fernet import Fernet

    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'pages.sqlite3'}")
    os.environ.update(
        SECRET_KEY="of a benchmark", ENCRYPTION_KEYS=Fernet.generate_key().decode(), DATA_DIR=str(folder),
        DJANGO_SETTINGS_MODULE="config.settings", ALLOWED_HOSTS="testserver", LOG_LEVEL="ERROR",
    )  # fmt: skip
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _vacuum() -> None:
    """Run VACUUM ANALYZE on PostgreSQL.

    Autovacuum would do this only minutes later. Until then, the query plans of PostgreSQL would assume empty tables.
    """
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _fill(mailboxes: int, comments: int) -> None:
    print(f"{mailboxes:,} mailboxes and {comments:,} comments ...", file=sys.stderr, flush=True)
    boxes = _boxes(mailboxes)
    folders = _folders(boxes)
    _mail(boxes, folders, comments)
    _runs(boxes, folders)
    _days(boxes)


def _boxes(count: int) -> list[Any]:
    from integrations.models import Destination, Integration
    from mailboxes.models import Bucket, Mailbox
    from sync.jobs import scheduling

    destination = Destination.objects.create(name="Tenant", endpoint="https://re.example", token="t")
    buckets = [Bucket.objects.create(destination=destination, project="bank", name=f"b{n}") for n in range(20)]
    integrations = [
        Integration.objects.create(
            project="bank",
            name=f"ex{n}",
            title=f"Exchange {n}",
            enabled=True,
            disabled_reason="",
            endpoint="https://ex.example/EWS/Exchange.asmx",
            username="u",
            password="p",
        )
        for n in range(5)
    ]
    boxes = Mailbox.objects.bulk_create(
        Mailbox(integration=integrations[n % 5], bucket=buckets[n % 20], address=f"desk{n}@bank.example")
        for n in range(count)
    )
    scheduling.make_states()
    return boxes


def _folders(boxes: list[Any]) -> list[Any]:
    from sync.models import SyncedFolder

    return SyncedFolder.objects.bulk_create(
        SyncedFolder(mailbox=box, folder_id=f"f{box.pk}", path=["Inbox"], name="Inbox", kind="inbox") for box in boxes
    )


def _mail(boxes: list[Any], folders: list[Any], comments: int) -> None:
    """Create the comments of half a year, and their mailbox items."""
    from django.utils import timezone

    from sync.models import LedgerEntry, MailboxItem

    def entry(n: int) -> LedgerEntry:
        box = boxes[n % len(boxes)]
        return LedgerEntry(
            bucket_id=box.bucket_id,
            comment_id=f"{n:032x}",
            state="confirmed",
            content_digest="d",
            properties_digest="d",
            winner_mailbox=box,
            winner_item=f"i{n}",
            billed=True,
        )

    def item(n: int) -> MailboxItem:
        box, folder = boxes[n % len(boxes)], folders[n % len(boxes)]
        return MailboxItem(mailbox=box, folder=folder, item_id=f"i{n}", comment_id=f"{n:032x}", verdict="delivered")

    for first in range(0, comments, BATCH):
        numbers = range(first, min(first + BATCH, comments))
        LedgerEntry.objects.bulk_create(map(entry, numbers))
        MailboxItem.objects.bulk_create(map(item, numbers))
    now = timezone.now()
    for day in range(DAYS):
        of_day = LedgerEntry.objects.filter(pk__gt=comments * day // DAYS, pk__lte=comments * (day + 1) // DAYS)
        of_day.update(created_at=now - timedelta(days=day))


def _runs(boxes: list[Any], folders: list[Any]) -> None:
    from django.utils import timezone

    from sync.models import DeadLetter, SyncRun

    now = timezone.now()
    SyncRun.objects.bulk_create(
        SyncRun(
            mailbox=boxes[n % len(boxes)],
            started_at=now - timedelta(minutes=n % 2000),
            ended_at=now,
            outcome="done",
            created=n % 3,
        )
        for n in range(20_000)
    )
    DeadLetter.objects.bulk_create(
        DeadLetter(
            mailbox=box, folder=folder, item_id="x", stage="push", kind="refused", reason="HTTP 422", last_at=now
        )
        for box, folder in zip(boxes[:500], folders[:500], strict=True)
    )


def _days(boxes: list[Any]) -> None:
    """Create the daily counts of three weeks.

    All mailboxes were just synced. One of every `SILENT` mailboxes had no email for two days.
    """
    from django.utils import timezone

    from sync.jobs import housekeeping
    from sync.models import MailboxState, MailDay

    now = timezone.now()
    quiet = {"next_sync_at": now + timedelta(hours=1), "synced_at": now, "up_to_date": True}
    MailboxState.objects.update(asked_at=now - timedelta(days=30), **quiet)
    housekeeping.record_tick("dispatch", now)
    for ago in range(DAYS_KEPT):
        day = (now - timedelta(days=ago)).date()
        MailDay.objects.bulk_create(
            (MailDay(mailbox=box, day=day, created=20) for n, box in enumerate(boxes) if ago > 1 or n % SILENT),
            batch_size=BATCH,
        )


def _paths() -> list[str]:
    return [
        *(
            "/",
            "/integrations/",
            "/integrations/1/",
            "/integrations/1/?q=desk1&state=up_to_date",
            "/integrations/1/?page=7",
            "/integrations/1/?state=up_to_date&bucket=1",
            "/integrations/1/select/?state=needs_you&error=mailbox_not_found",
        ),
        *(
            "/integrations/1/part/errors/",
            "/integrations/1/part/json/",
            "/integrations/1/ready/",
            "/integrations/1/select/",
            "/integrations/1/select/?q=desk10",
            "/integrations/1/part/history/",
            "/set-aside/",
            "/set-aside/?q=desk1&kind=refused",
            "/runs/?mailbox=1&show=all",
            "/integrations/1/part/connection/",
            "/integrations/1/edit/",
            "/integrations/1/switch/",
            "/integrations/1/mailboxes/new/",
            "/integrations/1/mailboxes/many/",
            "/mailboxes/1/",
            "/mailboxes/1/send-again/",
            "/mailboxes/1/edit/",
            "/destinations/",
            "/metrics",
        ),
        *("/destinations/1/", "/buckets/1/edit/", "/runs/", "/runs/?show=all", "/history/", "/errors/", "/preview/"),
    ]


def _measured(path: str) -> tuple[str, int, float, float, int]:
    """Return path, queries, milliseconds, CPU milliseconds and bytes of a page.

    Each time is the shortest of `ROUNDS` requests. On a busy machine, the CPU time is more reliable than the elapsed time.
    With SQLite, the CPU time includes the queries.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    user = get_user_model().objects.get_or_create(username="admin", defaults={"is_superuser": True, "is_staff": True})[
        0
    ]
    client = Client()
    client.force_login(user)
    best_ms, best_cpu_ms, response, queries = float("inf"), float("inf"), None, 0
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as captured:
            begun, cpu_begun = time.perf_counter(), time.process_time()
            response = client.get(path)
            best_ms = min(best_ms, (time.perf_counter() - begun) * 1000)
            best_cpu_ms = min(best_cpu_ms, (time.process_time() - cpu_begun) * 1000)
        queries = len(captured)
    assert response is not None
    assert response.status_code == OK, (path, response.status_code)
    content: Any = response.content
    return path, queries, best_ms, best_cpu_ms, len(content)
