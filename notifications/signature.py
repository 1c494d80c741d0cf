"""How a webhook knows that it was us, and that nobody sends it again. Pure."""

from __future__ import annotations

import hashlib
import hmac


def signature(secret: str, body: bytes, at: int) -> str:
    """The header `X-Signature`: seconds since 1970, and the HMAC-SHA-256 of them, a dot and the body."""
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"
