"""Where each stored secret may be sent. Pure.

Somebody who may edit a connection must not learn its secret by pointing it at a server of his own. So the place that a secret
is sent to is written down when the secret is entered, and the secret is used for no other place. A change that sends it
elsewhere, or over a way that protects it less, requires the secret again.

A place is a small mapping of texts, so that a JSON column can hold it. It holds no secret.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificates

from integrations.clouds import cloud_at

Place = dict[str, str]
"""What was entered, by the names in `LABELS`, each in a form in which equal things are equal texts."""

Route = list[tuple[str, str]]
"""Servers, each by what it is: host and port alone."""

AT_SERVER, AT_SIGN_IN_SERVICE = "server", "sign-in service"
LABELS = {
    "endpoint": "the endpoint",
    "sign_in": "the kind of sign-in",
    "authority": "the sign-in service",
    "tenant": "the tenant",
    "proxy": "the proxy",
    "ca_bundle": "the CA bundle",
    "tls_minimum": "the minimum TLS version",
    "tls_ciphers": "the TLS cipher list",
}
"""How the parts of a place are called in a sentence."""

INTEGRATION_FIELDS = (
    *("auth", "endpoint", "authority", "tenant_id"),
    *("proxy", "ca_bundle", "tls_minimum", "tls_ciphers"),
)
"""Fields of an integration that say where its secrets are sent."""
DESTINATION_FIELDS = ("endpoint",)
SENT_BY = {
    "ntlm": ("password",),
    "basic": ("password",),
    "oauth2": ("client_secret",),
    "certificate": ("client_key",),
    "service_user": ("password", "client_secret"),
}
"""Which secrets a kind of sign-in uses."""
SYSTEM_TLS = "1.2"
"""What Python's own default amounts to."""
TLS_HEIGHTS = {"1.0": 0, "1.1": 1, "": 2, "1.2": 3, "1.3": 4}
"""The system's default may have been made lower than Python's, and so is never taken for as high as 1.2."""
DEFAULT_PORTS = {"https": 443, "http": 80, "socks5": 1080, "socks5h": 1080}


def places_of_integration(values: Mapping[str, Any]) -> dict[str, Place]:
    """Where each secret is sent that this sign-in uses. `values`: those of `INTEGRATION_FIELDS`."""
    auth = str(values["auth"])
    place = {
        # The tokens that the secret buys are sent to the endpoint, also where the secret itself is not.
        "endpoint": _endpoint(str(values["endpoint"])),
        "sign_in": AT_SERVER,
        "proxy": normal_address(str(values["proxy"])),
        "ca_bundle": _certificates(str(values["ca_bundle"])),
        "tls_minimum": str(values["tls_minimum"]),
        "tls_ciphers": str(values["tls_ciphers"]).strip(),
    }
    if auth not in ("ntlm", "basic"):
        place |= {
            "sign_in": AT_SIGN_IN_SERVICE,
            "authority": normal_address(str(values["authority"])),
            "tenant": str(values["tenant_id"]).strip().casefold(),
        }
    return {name: dict(place) for name in SENT_BY.get(auth, ())}


def places_of_destination(values: Mapping[str, Any]) -> dict[str, Place]:
    """Where the API token is sent. `values`: those of `DESTINATION_FIELDS`."""
    return {"token": {"endpoint": normal_address(str(values["endpoint"]))}}


def changed(bound: Mapping[str, str] | None, place: Mapping[str, str]) -> list[str]:
    """Which parts of a place are not those that the secret was entered for; empty when it may be sent there. `bound`: the place
    that was written down with it, None where there is none."""
    if bound is None:
        return ["sign_in"]
    return [name for name in LABELS if not _covers(name, bound.get(name), place.get(name))]


def must_be_entered_again(secret: str, parts: list[str]) -> str:
    """The sentence for the admin. `secret`: what the field is called; `parts`: from `changed`."""
    named = [LABELS[name] for name in parts]
    listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    called = secret if secret[1:2].isupper() else f"{secret[:1].lower()}{secret[1:]}"
    return f"The {called} must be entered again because {listed} changed."


def route_of_integration(values: Mapping[str, Any]) -> Route:
    """The servers that a connection talks to."""
    found = [("Endpoint", host_and_port(str(values["endpoint"])))]
    if str(values["auth"]) not in ("ntlm", "basic"):
        found.append(("Sign-in service", host_and_port(str(values["authority"]))))
    if values["proxy"]:
        found.append(("Proxy", host_and_port(str(values["proxy"]))))
    return found


def route_of_destination(values: Mapping[str, Any]) -> Route:
    return [("Endpoint", host_and_port(str(values["endpoint"])))]


def host_and_port(address: str) -> str:
    """Of an address, without anything else that may be in it."""
    parts, port = _split(address)
    if parts is None or not parts.hostname:
        return "an address that cannot be read"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}" if port else host


def normal_address(address: str) -> str:
    """An address in which differences that make none are gone: case of the host, the usual port, a slash at the end. What
    cannot be read stays as it is."""
    address = address.strip()
    parts, port = _split(address)
    if parts is None or not parts.hostname:
        return address
    host = parts.hostname
    with contextlib.suppress(UnicodeError):  # what is no name of a server: nothing will be sent there
        host = host.encode("idna").decode()
    shown = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{shown}:{port}{parts.path.rstrip('/')}{query}"


def _endpoint(address: str) -> str:
    """EWS and Graph of one cloud of Microsoft are one place: their hosts are known here, and no admin can change them."""
    parts, port = _split(address.strip())
    cloud = cloud_at(address.strip())
    if parts is not None and cloud is not None and (parts.scheme, port) == ("https", 443):
        return f"Microsoft 365, {cloud.name}"
    return normal_address(address)


def _split(address: str) -> tuple[SplitResult | None, int | None]:
    """The parts, and the port, also where it is the usual one."""
    try:
        parts = urlsplit(address)
        return parts, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None, None


@lru_cache(maxsize=256)
def _certificates(pem: str) -> str:
    """A digest of a set of certificates, in whatever order and with whatever text around them."""
    if not pem.strip():
        return ""
    try:
        found = sorted({one.fingerprint(SHA256()) for one in load_pem_x509_certificates(pem.encode())})
    except ValueError:
        found = [pem.strip().encode()]
    return hashlib.sha256(b"".join(found)).hexdigest()


def _covers(name: str, bound: str | None, wanted: str | None) -> bool:
    if bound == wanted:
        return True
    if name != "tls_minimum" or bound is None or wanted not in TLS_HEIGHTS:
        return False
    return TLS_HEIGHTS[wanted] >= TLS_HEIGHTS.get(bound or SYSTEM_TLS, len(TLS_HEIGHTS))
