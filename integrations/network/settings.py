"""What an admin sets of a connection, and what of the way to the server cannot be right, found before anything is sent."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from urllib.parse import urlsplit

import requests

from integrations.errors import SettingsWrong


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All that a connection to an Exchange depends on, whatever it speaks. Two that are equal share one; a changed secret makes
    another. Keys and certificates are PEM; of certificate and thumbprint (SHA-1 or SHA-256, in hexadecimal digits) one may be
    blank."""

    key: str
    """The integration it belongs to: of one key at most one connection is open."""
    endpoint: str
    auth: str
    _: KW_ONLY
    username: str = ""
    password: str = field(default="", repr=False)
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_thumbprint: str = ""
    authority: str = "https://login.microsoftonline.com"
    tls_minimum: str = ""
    tls_ciphers: str = ""
    ca_bundle: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    user_agent: str = "reinfer-exchange"
    deadline: float = 120.0
    """Seconds that one call may take, all in all."""


def check_way(way: ServerSettings) -> None:
    """Raises `SettingsWrong`."""
    if not (way.user_agent.isascii() and way.user_agent.isprintable()):
        raise SettingsWrong("user agent: only letters, digits and signs of ASCII can be sent")
    check_url(way.endpoint, "endpoint", ("https",))
    if way.proxy:
        check_url(way.proxy, "proxy", ("http", "https"))


def check_url(url: str, name: str, schemes: tuple[str, ...]) -> None:
    """Raises `SettingsWrong` with the name of the setting."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        # What requests would refuse, and a name that cannot be one: both would look like a failure of Exchange.
        requests.PreparedRequest().prepare_url(url, None)
        (parts.hostname or "").encode("idna")
    except ValueError:
        right = False
    if not right:
        raise SettingsWrong(f"{name}: it must be the address of a server and begin with {' or '.join(schemes)}://")
