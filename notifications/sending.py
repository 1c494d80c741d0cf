"""Send one POST request to a URL that a user entered, without access to private networks (SSRF protection).

The host name is resolved once per request. Every resolved address must be public, unless private networks are allowed.
The connection uses the address that was checked, so a later change of the DNS record has no effect. Redirects are not
followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import httpx

SECONDS = 10.0
"""Time limit of one delivery, in seconds."""
SUCCESS = range(200, 300)


class NotSent(Exception):
    """The request was not sent, or failed. The text states the reason and, of the response, only the status."""


class NoAddress(NotSent):
    """The host name cannot be resolved at the moment."""


def send(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool = False, seconds: float = SECONDS
) -> None:
    """Send a POST request.

    Args:
        url: The URL.
        body: The request body.
        headers: The request headers.
        allow_private: Whether private networks and plain HTTP are allowed.
        seconds: Time limit of the whole request, in seconds.

    Raises:
        NotSent: The URL is not allowed, or the request failed or timed out.
    """
    try:
        asyncio.run(asyncio.wait_for(_post(url, body, headers, allow_private), seconds))
    except TimeoutError:
        raise NotSent(f"no response within {seconds:.0f} s") from None


def problem_with(url: str, *, allow_private: bool = False, seconds: float = 3.0) -> str:
    """Check whether `send` would accept a URL.

    A host name that cannot be resolved at the moment is accepted. `send` checks the addresses again before each request,
    because the DNS record can change.

    Args:
        url: The URL.
        allow_private: Whether private networks and plain HTTP are allowed.
        seconds: Time limit of the name resolution, in seconds.

    Returns:
        An error message; empty if the URL is acceptable.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not allow_private:
        return "the URL must begin with https://"
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
        raise NotSent("the URL must begin with https://")
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
            ) as response,
        ):
            # Only the status code matters. The response body is not read.
            if response.status_code not in SUCCESS:
                raise NotSent(f"HTTP {response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSent(type(error).__name__) from None


async def _address(host: str, port: int, allow_private: bool) -> str:
    try:
        entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAddress("the host name cannot be resolved") from None
    addresses = [str(entry[4][0]) for entry in entries]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise NotSent("the host name resolves to an address in a private network, or to a special address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    Loopback, private networks, cloud metadata services, multicast, 6to4, Teredo and NAT64 addresses are not public.

    Args:
        address: The address as text, with or without an IPv6 zone.

    Returns:
        Whether the address is public; False for text that is not an IP address.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ipv4 = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    if isinstance(parsed, ipaddress.IPv6Address) and (parsed.sixtofour or parsed.teredo or parsed in _NAT64):
        return False
    return (ipv4 or parsed).is_global and not (ipv4 or parsed).is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
