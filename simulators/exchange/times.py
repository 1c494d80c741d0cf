"""Times in the format of XML Schema."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
