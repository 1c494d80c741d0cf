"""Classify error texts of Re:infer and of the HTTP library by words, where no error code exists.

No other module of the adapter interprets an error text. Re:infer documents no code for a used-up quota: it
responds with 403 and a sentence ("comment quota hit" in the error list of its own Exchange integration). h11 and httpx
raise the same class, RemoteProtocolError, for a connection that was closed too early and for bytes that are not HTTP.
"""

from __future__ import annotations

_QUOTA = "quota"
_CLOSED_EARLY = ("disconnected", "incomplete", "without sending")


def mentions_quota(message: str) -> bool:
    """Return whether a text mentions the quota of the tenant.

    Args:
        message: Message of the server.

    Returns:
        True where the text contains the word `quota`.
    """
    return _QUOTA in message.lower()


def was_closed_early(error: Exception) -> bool:
    """Return whether a RemoteProtocolError means that the connection was closed too early, after valid HTTP.

    Args:
        error: The error.

    Returns:
        False for bytes that are not HTTP.
    """
    return any(sign in str(error) for sign in _CLOSED_EARLY)
