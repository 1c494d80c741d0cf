"""What a 401 means: whether the password or the token was refused, or the way of signing in is not offered at all."""

from __future__ import annotations

import re
from collections.abc import Iterable

from integrations.errors import IntegrationError, OnlyKerberosOffered, SignInNotOffered, SignInRefused

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9._-]{0,31})(?=\s*(?:,|$)|\s+[^\s=,])")
"""A name at the start of a challenge (RFC 9110, section 11.6.1). A parameter has an equals sign behind its name."""
MOST_NAMED = 6
LONGEST = 2048
"""Characters that are read of a line."""
WAYS = {"ntlm": "NTLM", "basic": "Basic", "bearer": "Bearer"}
"""How a connection may sign in: the scheme, and its usual spelling."""
KERBEROS = {"negotiate", "kerberos"}
BEHIND_A_PROXY = (
    "HTTP 401 to NTLM; where the password is right, Extended Protection may refuse it behind a proxy that ends TLS, or a "
    "policy forbids NTLM to this account"
)


def offered(challenges: Iterable[str]) -> list[str]:
    """The schemes that the WWW-Authenticate lines of an answer offer, each once."""
    found = (name for line in challenges for name in SCHEME.findall(QUOTED.sub('""', line[:LONGEST])))
    return list({name.casefold(): name for name in found}.values())[:MOST_NAMED]


def refusal(way: str, offers: list[str], *, tried: bool) -> IntegrationError:
    """The error of a 401 to somebody who signs in by `way`. `tried`: whether an NTLM handshake came to its end."""
    names = {name.casefold() for name in offers}
    detail = f"HTTP 401 to {WAYS[way]}, offered: {', '.join(offers)}"
    if not names or way in names:
        # Who offers nothing at all is a gateway, or careless: nothing can be compared.
        return SignInRefused(BEHIND_A_PROXY if way == "ntlm" and names else "HTTP 401")
    if way == "ntlm" and tried:
        return SignInRefused(BEHIND_A_PROXY)
    only_kerberos = names <= (KERBEROS if way == "ntlm" else {"kerberos"})
    return OnlyKerberosOffered(detail) if only_kerberos else SignInNotOffered(detail)
