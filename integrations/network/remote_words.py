"""Words in exception texts of OpenSSL, urllib3, requests and the C library that show why a connection failed.

The exceptions state the reason only in their texts: requests wraps the exception of urllib3, which wraps the exception
of `ssl` or of the socket, often as text. The words are those of OpenSSL (`X509_verify_cert_error_string`), of
Python's `ssl`, of urllib3 and of `strerror`, and names of exception classes.
"""

from __future__ import annotations

UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "doesn't match")
UNKNOWN_AUTHORITY = ("self-signed", "unable to get local issuer")
EXPIRED = ("has expired",)
OTHER_NAME = ("mismatch", "doesn't match")
CUT = ("EOF occurred in violation", "ConnectionReset", "RemoteDisconnected")
TLS = ("SSLError",)
NO_NAME = ("NameResolutionError", "gaierror")
CLOSED = ("Connection refused",)
LATE = ("ConnectTimeoutError",)
NO_WAY = ("No route to host", "Network is unreachable")


def contains_any(text: str, words: tuple[str, ...]) -> bool:
    """Return whether a text contains any of the given words.

    Args:
        text: The text of an exception.
        words: The words, case-sensitive.

    Returns:
        True if at least one of the words occurs.
    """
    return any(word in text for word in words)
