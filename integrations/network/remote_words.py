"""Words of OpenSSL, urllib3, requests and the C library by which it is told why a connection failed.

Their exceptions hide the reason in texts: requests wraps the error of urllib3, and that the one of `ssl` or of the socket,
often as text alone. The words are those of OpenSSL (`X509_verify_cert_error_string`), of `strerror`, and the names of classes.
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


def has(text: str, words: tuple[str, ...]) -> bool:
    """Whether any of these words stands in the text."""
    return any(word in text for word in words)
