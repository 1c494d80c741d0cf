"""One POST to an address that somebody typed: never into our own network, never further than that address.

The name is resolved once, every address it has must be a public one, and the connection goes to the address that was
looked at: a name that resolves differently a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import httpx

SECONDS = 10.0
"""For a whole delivery."""
FINE = range(200, 300)


class NotSent(Exception):
    """Why, in words: never with what a server said."""


class NoAddress(NotSent):
    """Its name cannot be resolved, now at least."""


def send(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool = False, seconds: float = SECONDS
) -> None:
    """Raises NotSent, after so many seconds at the latest. `allow_private`: also to private networks, and without TLS."""
    try:
        asyncio.run(asyncio.wait_for(_post(url, body, headers, allow_private), seconds))
    except TimeoutError:
        raise NotSent(f"no answer within {seconds:.0f} s") from None


def problem_with(url: str, *, allow_private: bool = False, seconds: float = 3.0) -> str:
    """Why nothing would be sent to this address; "" when it would, or when its name cannot be resolved just now. It is looked
    at again before each sending: a name can point elsewhere by then."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not allow_private:
        return "only https:// is sent to"
    try:
        asyncio.run(asyncio.wait_for(_address(parts.hostname or "", parts.port or 443, allow_private), seconds))
    except TimeoutError:
        return ""
    except NoAddress:
        return ""
    except NotSent as problem:
        return str(problem)
    return ""


async def _post(url: str, body: bytes, headers: Mapping[str, str], allow_private: bool) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise NotSent("only https:// is sent to")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await _address(host, port, allow_private)
    literal = f"[{address}]" if ":" in address else address
    target = urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, ""))
    shown = host if parts.port is None else f"{host}:{parts.port}"
    try:
        async with (
            httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST", target, content=body, headers={**headers, "Host": shown}, extensions={"sni_hostname": host}
            ) as answer,
        ):
            # What it says does not matter, and is not read.
            if answer.status_code not in FINE:
                raise NotSent(f"HTTP {answer.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSent(type(error).__name__) from None


async def _address(host: str, port: int, allow_private: bool) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAddress("its name has no address") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise NotSent("its address is of a private network")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether anybody on the internet could reach it: no loopback, no private network, no metadata service."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if isinstance(found, ipaddress.IPv6Address) and (found.sixtofour or found.teredo or found in _NAT64):
        return False
    return (inner or found).is_global and not (inner or found).is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
