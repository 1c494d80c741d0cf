"""The place that each stored secret may be sent to. The module has no side effects.

A user who may edit a connection must not learn its secret by entering the address of another server. Therefore the
place that a secret is sent to is stored when the secret is entered, and the secret is sent to no other place. The
secret must be entered again when any part of the place changes, unless only the minimum TLS version is raised.

A place is a small mapping of texts, so that a JSON column can store it. It contains no secret.
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
"""The settings of a place, by the keys of `LABELS`, normalised so that equivalent settings are equal texts."""

Route = list[tuple[str, str]]
"""The servers of a connection: the role of each, and its host and port."""

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
"""The name of each part of a place, for messages to users."""

INTEGRATION_FIELDS = (
    *("auth", "endpoint", "authority", "tenant_id"),
    *("proxy", "ca_bundle", "tls_minimum", "tls_ciphers"),
)
"""Fields of an integration that determine where its secrets are sent."""
DESTINATION_FIELDS = ("endpoint",)
"""Fields of a destination that determine where its token is sent."""
SENT_BY = {
    "ntlm": ("password",),
    "basic": ("password",),
    "oauth2": ("client_secret",),
    "certificate": ("client_key",),
    "service_user": ("password", "client_secret"),
}
"""The secrets that each kind of sign-in uses."""
SYSTEM_TLS = "1.2"
"""The minimum TLS version of Python's default context."""
TLS_RANKS = {"1.0": 0, "1.1": 1, "": 2, "1.2": 3, "1.3": 4}
"""The rank of each minimum TLS version: a version with a higher rank protects a secret better.

The blank value is the system default, which an admin of the machine can set to a lower version than 1.2. So the system
default ranks below 1.2 as the new value, but counts as `SYSTEM_TLS` as the stored value. A secret must be entered again
after a change from 1.2 to the system default, but not after a change from the system default to 1.2.
"""
DEFAULT_PORTS = {"https": 443, "http": 80, "socks5": 1080, "socks5h": 1080}
"""The port of an address without a port, by scheme."""


def places_of_integration(values: Mapping[str, Any]) -> dict[str, Place]:
    """Return the place of each secret that the sign-in of an integration uses.

    Args:
        values: The values of `INTEGRATION_FIELDS`, by field name.

    Returns:
        The place of each secret, by the field name of the secret.
    """
    auth = str(values["auth"])
    place = {
        # A token that was obtained with the secret is sent to the endpoint, even where the secret itself is not.
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
    """Return where the API token of a destination is sent.

    Args:
        values: The values of `DESTINATION_FIELDS`, by field name.

    Returns:
        The place of the token, by its field name.
    """
    return {"token": {"endpoint": normal_address(str(values["endpoint"]))}}


def changed(bound: Mapping[str, str] | None, place: Mapping[str, str]) -> list[str]:
    """Return the parts of a place that differ from the place that a secret was entered for.

    Args:
        bound: The place that was stored with the secret; None where none was stored.
        place: The place that the secret would be sent to.

    Returns:
        Keys of `LABELS`; empty if the secret may be sent to `place`. A higher minimum TLS version is no difference. If no
        place was stored, the only key is `sign_in`.
    """
    if bound is None:
        return ["sign_in"]
    return [name for name in LABELS if not _covers(name, bound.get(name), place.get(name))]


def must_be_entered_again(secret: str, parts: list[str]) -> str:
    """Return the message that asks an admin to enter a secret again.

    Args:
        secret: The label of the field of the secret.
        parts: The parts that changed, from `changed`.

    Returns:
        One sentence.
    """
    labels = [LABELS[name] for name in parts]
    enumeration = " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)
    label = secret if secret[1:2].isupper() else f"{secret[:1].lower()}{secret[1:]}"
    return f"The {label} must be entered again because {enumeration} changed."


def route_of_integration(values: Mapping[str, Any]) -> Route:
    """Return the servers that an integration connects to.

    Args:
        values: The values of `INTEGRATION_FIELDS`, by field name.

    Returns:
        The endpoint, and the sign-in service and the proxy where the integration uses them.
    """
    servers = [("Endpoint", host_and_port(str(values["endpoint"])))]
    if str(values["auth"]) not in ("ntlm", "basic"):
        servers.append(("Sign-in service", host_and_port(str(values["authority"]))))
    if values["proxy"]:
        servers.append(("Proxy", host_and_port(str(values["proxy"]))))
    return servers


def route_of_destination(values: Mapping[str, Any]) -> Route:
    """Return the servers that a destination connects to.

    Args:
        values: The values of `DESTINATION_FIELDS`, by field name.

    Returns:
        The endpoint.
    """
    return [("Endpoint", host_and_port(str(values["endpoint"])))]


def host_and_port(address: str) -> str:
    """Return host and port of an address, without user name, path and query.

    Args:
        address: A URL.

    Returns:
        `host:port`. If the address has no port: the default port of its scheme, or only the host if the scheme has none
        in `DEFAULT_PORTS`. A fixed text for an invalid address.
    """
    parts, port = _split(address)
    if parts is None or not parts.hostname:
        return "an address that cannot be read"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}" if port else host


def normal_address(address: str) -> str:
    """Return an address in a form in which equivalent addresses are equal.

    The case of the host, the default port and a slash at the end make no difference.

    Args:
        address: A URL.

    Returns:
        The normalised address. From an invalid address, only the white space around it is removed.
    """
    address = address.strip()
    parts, port = _split(address)
    if parts is None or not parts.hostname:
        return address
    host = parts.hostname
    with contextlib.suppress(UnicodeError):  # an invalid host name, to which no request can be sent
        host = host.encode("idna").decode()
    shown = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{shown}:{port}{parts.path.rstrip('/')}{query}"


def _endpoint(address: str) -> str:
    """Return the normalised endpoint.

    All hosts of EWS and Graph of one Microsoft cloud count as one place, over HTTPS on port 443. The hosts are constants
    of this product, so a change from one to another cannot send a secret to a foreign server.
    """
    parts, port = _split(address.strip())
    cloud = cloud_at(address.strip())
    if parts is not None and cloud is not None and (parts.scheme, port) == ("https", 443):
        return f"Microsoft 365, {cloud.name}"
    return normal_address(address)


def _split(address: str) -> tuple[SplitResult | None, int | None]:
    """Return the parts of an address, and its port or the default port of its scheme. Both are None for an invalid address."""
    try:
        parts = urlsplit(address)
        return parts, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None, None


@lru_cache(maxsize=256)
def _certificates(pem: str) -> str:
    """Return a digest of a set of PEM certificates that does not depend on their order or on other text between them."""
    if not pem.strip():
        return ""
    try:
        digests = sorted(
            {certificate.fingerprint(SHA256()) for certificate in load_pem_x509_certificates(pem.encode())}
        )
    except ValueError:
        digests = [pem.strip().encode()]
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _covers(name: str, bound: str | None, wanted: str | None) -> bool:
    """Return whether one part of a place equals the stored part, or protects the secret at least as well."""
    if bound == wanted:
        return True
    if name != "tls_minimum" or bound is None or wanted not in TLS_RANKS:
        return False
    return TLS_RANKS[wanted] >= TLS_RANKS.get(bound or SYSTEM_TLS, len(TLS_RANKS))
