"""The digest of what is wanted: when it changes, a folder has to be listed again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from mailboxes.rules import Rules
from mailboxes.rules_versions import current


def wanted_digest(rules: Rules, *, bucket: str, address: str, version: int | None = None) -> str:
    """Of rules, start time, switches, bucket and address, and of the version of the fixed rules; the present one unless another
    is given. Equal wishes give equal digests, on any machine."""
    wishes: dict[str, object] = {"rules": asdict(rules), "bucket": bucket, "address": address.casefold()}
    if (version := version or current()) > 1:  # before versions were counted, none was in it
        wishes["version"] = version
    return hashlib.sha256(json.dumps(wishes, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
