"""The filter digest: when it changes, the folders of a mailbox have to be listed again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from mailboxes.rules import Rules
from mailboxes.rules_versions import current


def wanted_digest(rules: Rules, *, bucket: str, address: str, version: int | None = None) -> str:
    """Return the digest of everything that decides which mail of a mailbox is wanted, and where the mail goes.

    Equal input gives equal digests on any machine.

    Args:
        rules: The filter rules, with start time and switches.
        bucket: The key of the bucket.
        address: The address of the mailbox.
        version: The version of the fixed rules; None for the version of this release.

    Returns:
        A SHA-256 digest in hex.
    """
    desired: dict[str, object] = {"rules": asdict(rules), "bucket": bucket, "address": address.casefold()}
    # A digest for version 1 contains no version, like the digests of releases before versions existed.
    if (version := version or current()) > 1:
        desired["version"] = version
    return hashlib.sha256(json.dumps(desired, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
