"""Words of Re:infer, and of the library that speaks to it, by which something is decided because there is no code for it.

Nothing else of the adapter looks into a text of the other side. Re:infer documents no code for a quota that is reached: it
answers 403 with a sentence ("comment quota hit" in the list of errors of its own Exchange integration). h11 and httpx have one
class, RemoteProtocolError, for a connection that ended too early and for bytes that are no HTTP.
"""

from __future__ import annotations

_QUOTA = "quota"
_CUT = ("disconnected", "incomplete", "without sending")


def mentions_quota(message: str) -> bool:
    """Whether a refusal is about the quota of the tenant."""
    return _QUOTA in message.lower()


def says_it_was_cut(error: Exception) -> bool:
    """Of a RemoteProtocolError: the connection ended too early, and what came before was HTTP."""
    return any(sign in str(error) for sign in _CUT)
