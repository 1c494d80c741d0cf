"""The digest of what is wanted: when it changes, a folder has to be listed again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from mailboxes.rules import Rules


def wanted_digest(rules: Rules, *, bucket: str, address: str) -> str:
    """Of rules, start time, switches, bucket and address. Equal wishes give equal digests, on any machine."""
    wishes = {"rules": asdict(rules), "bucket": bucket, "address": address.casefold()}
    return hashlib.sha256(json.dumps(wishes, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
