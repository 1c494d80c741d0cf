"""What an admin sets of the way to a server, and what of it cannot be right, found before anything is sent."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

import requests

from integrations.errors import SettingsWrong


class Way(Protocol):
    """What every connection has, whatever it speaks. `deadline`: seconds that one call may take, all in all."""

    @property
    def key(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def tls_minimum(self) -> str: ...
    @property
    def tls_ciphers(self) -> str: ...
    @property
    def ca_bundle(self) -> str: ...
    @property
    def proxy(self) -> str: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def deadline(self) -> float: ...


def check_way(way: Way) -> None:
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
