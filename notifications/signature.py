"""The signature of a webhook request, by which the receiver verifies the sender and detects replays. Pure functions."""

from __future__ import annotations

import hashlib
import hmac


def signature(secret: str, body: bytes, at: int) -> str:
    """Return the value of the header `X-Signature`.

    Args:
        secret: The secret of the webhook.
        body: The request body.
        at: Time of sending, in seconds since 1970.

    Returns:
        `t=<at>,v1=<hex>`, where hex is the HMAC-SHA-256 of `<at>.<body>`.
    """
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"
