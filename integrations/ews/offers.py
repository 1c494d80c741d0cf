"""Interpret HTTP status 401: the password or token was rejected, or the server does not offer the scheme in use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from integrations.errors import IntegrationError, OnlyKerberosOffered, SignInNotOffered, SignInRefused

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9._-]{0,31})(?=\s*(?:,|$)|\s+[^\s=,])")
"""Scheme name at the start of a challenge (RFC 9110, section 11.6.1). Names of parameters are followed by `=`."""
MAX_SCHEMES = 6
"""Maximum number of schemes that are read from a response, and are listed in the error text."""
LONGEST = 2048
"""Maximum number of characters that are read from a header line."""
SCHEME_NAMES = {"ntlm": "NTLM", "basic": "Basic", "bearer": "Bearer"}
"""Supported schemes and their usual spelling."""
KERBEROS = {"negotiate", "kerberos"}
BEHIND_A_PROXY = (
    "HTTP 401 to NTLM. If the password is correct: Extended Protection may reject NTLM behind a proxy that "
    "terminates TLS, or a policy forbids NTLM for this account"
)


def offered_schemes(challenges: Iterable[str]) -> list[str]:
    """Return the authentication schemes that a response offers.

    Args:
        challenges: Values of the `WWW-Authenticate` header lines.

    Returns:
        At most `MAX_SCHEMES` schemes, each once, as spelled by the server.
    """
    found = (name for line in challenges for name in SCHEME.findall(QUOTED.sub('""', line[:LONGEST])))
    return list({name.casefold(): name for name in found}.values())[:MAX_SCHEMES]


def unauthorized_error(scheme: str, offers: list[str], *, handshake_done: bool) -> IntegrationError:
    """Return the error for a response with status 401.

    Args:
        scheme: Scheme of the connection, a key of `SCHEME_NAMES`.
        offers: Schemes that the server offers.
        handshake_done: Whether the response follows an NTLM handshake.

    Returns:
        `SignInRefused`, `SignInNotOffered` or `OnlyKerberosOffered`.
    """
    names = {name.casefold() for name in offers}
    detail = f"HTTP 401 to {SCHEME_NAMES[scheme]}, offered: {', '.join(offers)}"
    if not names or scheme in names:
        # Without offers, the response comes from a gateway or a faulty server. The scheme may still be supported.
        return SignInRefused(BEHIND_A_PROXY if scheme == "ntlm" and names else "HTTP 401")
    if scheme == "ntlm" and handshake_done:
        return SignInRefused(BEHIND_A_PROXY)
    only_kerberos = names <= (KERBEROS if scheme == "ntlm" else {"kerberos"})
    return OnlyKerberosOffered(detail) if only_kerberos else SignInNotOffered(detail)
