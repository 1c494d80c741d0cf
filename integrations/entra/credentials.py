"""What signs in to Entra: an application with its secret or its certificate, or a service user. Checked without a request."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msal.oauth2cli.assertion import JwtAssertionCreator

from integrations.errors import SettingsWrong
from integrations.network.settings import ServerSettings

WAYS = ("oauth2", "certificate", "service_user")
ASSERTION_LIVES = 600
"""Seconds."""


def check_entered(given: ServerSettings) -> None:
    """Raises `SettingsWrong` for what cannot be right, whatever Entra says."""
    if given.auth not in WAYS:
        raise SettingsWrong("sign-in: there is no way of this name")
    if not (given.tenant_id and given.client_id):
        raise SettingsWrong("tenant ID and application ID are both needed")
    if not all(sign.isalnum() or sign in "-._" for sign in given.tenant_id):
        raise SettingsWrong("tenant ID: it is a number with hyphens, or a domain")
    if given.auth == "oauth2" and not given.client_secret:
        raise SettingsWrong("tenant ID, application ID and client secret are all needed")
    if given.auth == "service_user" and not (given.username and given.password):
        raise SettingsWrong("user name and password are both needed")
    if given.auth == "certificate":
        _certified(given)


def client_credential(given: ServerSettings, audience: Callable[[], str]) -> Any:
    """What MSAL calls so; None for an application without one. `audience`: the token endpoint."""
    if given.auth == "certificate":
        return {"client_assertion": Assertion(given, audience)}
    return given.client_secret or None


class Assertion:
    """A signed statement of who we are, made anew for each request of a token (RFC 7523)."""

    def __init__(self, given: ServerSettings, audience: Callable[[], str]) -> None:
        self._key, self._headers = _certified(given)
        self._issuer, self._audience = given.client_id, audience

    def __call__(self) -> str:
        # SHA-1 only names the certificate, where an admin gave no other name of it.
        algorithm = "PS256" if "x5t#S256" in self._headers else "RS256"
        creator = JwtAssertionCreator(self._key, algorithm, headers=dict(self._headers))
        made: bytes = creator.create_normal_assertion(self._audience(), self._issuer, expires_in=ASSERTION_LIVES)
        return made.decode()


def _certified(given: ServerSettings) -> tuple[rsa.RSAPrivateKey, dict[str, str]]:
    """The key, and how the certificate is named to Entra. Raises `SettingsWrong`."""
    key = _key(given.client_key)
    if given.client_certificate.strip():
        certificate = _certificate(given.client_certificate)
        if certificate.public_key() != key.public_key():
            raise SettingsWrong("certificate: the private key is not that of this certificate")
        return key, {"x5t#S256": _encoded(certificate.fingerprint(hashes.SHA256()))}
    thumbprint = given.client_thumbprint.strip().replace(":", "")
    try:
        raw = bytes.fromhex(thumbprint)
    except ValueError:
        raw = b""
    if len(raw) not in (20, 32):
        raise SettingsWrong("certificate: the certificate or its thumbprint (40 or 64 hexadecimal digits) is needed")
    return key, {"x5t" if len(raw) == 20 else "x5t#S256": _encoded(raw)}


def _key(pem: str) -> rsa.RSAPrivateKey:
    if not pem.strip():
        raise SettingsWrong("certificate: its private key is needed too")
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except TypeError:
        raise SettingsWrong("private key: it is locked by a password; enter it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsWrong("private key: this is no key in PEM form") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsWrong("private key: Entra takes RSA keys only")
    return key


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise SettingsWrong("certificate: this is no certificate in PEM form") from None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
