"""Readings of the soak test: memory, files, sockets, threads, database connections and tables, and which of them grew."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TABLES = (
    *("sync_syncrun", "sync_mailboxstate", "sync_syncedfolder", "sync_setasideemail", "sync_tick"),
    *("sync_comparison", "notices_notice", "notices_delivery"),
)
"""Tables that must not grow over time."""
WITH_MAIL = ("sync_ledgerentry", "sync_copy")
"""Tables that may grow, but only with the number of comments and mailbox items."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The readings at one time. `rows` and `megabytes` contain the sizes of the tables by name."""

    hour: float
    rss_mb: float
    files: int
    sockets: int
    threads: int
    database_connections: int
    rows: dict[str, int]
    megabytes: dict[str, float]


def read(hour: float) -> Reading:
    from django.db import connection

    files = [_link(entry) for entry in Path("/proc/self/fd").iterdir()]
    rows, megabytes = {}, {}
    with connection.cursor() as cursor:
        # In the product, autovacuum runs about once a minute. In the test, a minute of real time is about an hour of simulated
        # time, so autovacuum would run too rarely.
        cursor.execute("VACUUM")
        for table in (*TABLES, *WITH_MAIL, "sync_activity"):
            cursor.execute(f"SELECT count(*), pg_total_relation_size('{table}') FROM {table}")
            count, size = cursor.fetchone()
            rows[table], megabytes[table] = count, size / 1e6
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        connections = cursor.fetchone()[0]
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    sockets = sum(link.startswith("socket:") for link in files)
    return Reading(hour, rss, len(files), sockets, threading.active_count(), connections, rows, megabytes)


def slope(readings: Sequence[Reading], values: Sequence[float]) -> float:
    """Return the growth per 24 hours: the slope of the line that fits the values best (least squares)."""
    hours = [reading.hour for reading in readings]
    middle, mean = sum(hours) / len(hours), sum(values) / len(values)
    spread = sum((hour - middle) ** 2 for hour in hours)
    if not spread:
        return 0.0
    return 24 * sum((h - middle) * (v - mean) for h, v in zip(hours, values, strict=True)) / spread


@dataclass(frozen=True, slots=True)
class Line:
    """The development of one figure after the warm-up."""

    name: str
    first: float
    last: float
    most: float
    per_day: float
    flat: bool


def judged(readings: Sequence[Reading]) -> list[Line]:
    """Return the development of each figure.

    A figure is flat if its trend grew by at most a twentieth of its mean, or by at most its tolerance (the last value of its
    entry in `figures`).
    """
    figures = [
        ("RSS, MB", [reading.rss_mb for reading in readings], 8.0),
        ("file descriptors", [float(reading.files) for reading in readings], 3.0),
        ("sockets", [float(reading.sockets) for reading in readings], 3.0),
        ("threads", [float(reading.threads) for reading in readings], 2.0),
        ("connections to PostgreSQL", [float(reading.database_connections) for reading in readings], 2.0),
    ]
    figures += [(f"rows of {table}", [float(reading.rows[table]) for reading in readings], 50.0) for table in TABLES]
    figures += [(f"MB of {table}", [reading.megabytes[table] for reading in readings], 1.0) for table in TABLES]
    return [_line(name, readings, values, tolerance) for name, values, tolerance in figures]


def _line(name: str, readings: Sequence[Reading], values: Sequence[float], tolerance: float) -> Line:
    per_day = slope(readings, values)
    grown = per_day * (readings[-1].hour - readings[0].hour) / 24
    mean = sum(values) / len(values)
    return Line(name, values[0], values[-1], max(values), per_day, grown <= max(mean / 20, tolerance))


def _link(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except OSError:
        return ""  # the descriptor with which the folder was listed is closed already
