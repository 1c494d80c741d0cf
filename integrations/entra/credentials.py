"""What signs in to Entra: an application with its secret or its certificate, or a service user. Checked without a request."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msal.oauth2cli.assertion import JwtAssertionCreator

from integrations.errors import SettingsWrong

WAYS = ("oauth2", "certificate", "service_user")
ASSERTION_LIVES = 600
"""Seconds."""


class Entered(Protocol):
    """What an admin enters of a connection, as far as it is about signing in."""

    @property
    def auth(self) -> str: ...
    @property
    def tenant_id(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def authority(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def client_key(self) -> str: ...
    @property
    def client_certificate(self) -> str: ...
    @property
    def client_thumbprint(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of one connection. Two that are equal may share a token."""

    way: str
    """One of `WAYS`."""
    tenant_id: str
    client_id: str
    authority: str
    """For example https://login.microsoftonline.com."""
    scope: str
    """The service that the token is for, with /.default."""
    client_secret: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)
    """PEM."""
    client_certificate: str = field(default="", repr=False)
    """PEM; may be blank where the thumbprint is given."""
    client_thumbprint: str = ""
    """SHA-1 or SHA-256, in hexadecimal digits; may be blank where the certificate is given."""
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def entered(cls, given: Entered, scope: str) -> Credentials:
        return cls(
            given.auth,
            given.tenant_id,
            given.client_id,
            given.authority,
            scope,
            given.client_secret,
            given.client_key,
            given.client_certificate,
            given.client_thumbprint,
            given.username,
            given.password,
        )

    def check(self) -> None:
        """Raises `SettingsWrong` for what cannot be right, whatever Entra says."""
        if self.way not in WAYS:
            raise SettingsWrong("sign-in: there is no way of this name")
        if not (self.tenant_id and self.client_id):
            raise SettingsWrong("tenant ID and application ID are both needed")
        if not all(sign.isalnum() or sign in "-._" for sign in self.tenant_id):
            raise SettingsWrong("tenant ID: it is a number with hyphens, or a domain")
        if self.way == "oauth2" and not self.client_secret:
            raise SettingsWrong("tenant ID, application ID and client secret are all needed")
        if self.way == "service_user" and not (self.username and self.password):
            raise SettingsWrong("user name and password are both needed")
        if self.way == "certificate":
            _certified(self)

    def for_msal(self, audience: Callable[[], str]) -> Any:
        """What MSAL calls a client credential; None for an application without one. `audience`: the token endpoint."""
        if self.way == "certificate":
            return {"client_assertion": Assertion(self, audience)}
        return self.client_secret or None


class Assertion:
    """A signed statement of who we are, made anew for each request of a token (RFC 7523)."""

    def __init__(self, credentials: Credentials, audience: Callable[[], str]) -> None:
        self._key, headers = _certified(credentials)
        self._headers, self._issuer, self._audience = headers, credentials.client_id, audience

    def __call__(self) -> str:
        # SHA-1 only names the certificate, where an admin gave no other name of it.
        algorithm = "PS256" if "x5t#S256" in self._headers else "RS256"
        creator = JwtAssertionCreator(self._key, algorithm, headers=dict(self._headers))
        made: bytes = creator.create_normal_assertion(self._audience(), self._issuer, expires_in=ASSERTION_LIVES)
        return made.decode()


def _certified(credentials: Credentials) -> tuple[rsa.RSAPrivateKey, dict[str, str]]:
    """The key, and how the certificate is named to Entra. Raises `SettingsWrong`."""
    key = _key(credentials.client_key)
    if credentials.client_certificate.strip():
        certificate = _certificate(credentials.client_certificate)
        if certificate.public_key() != key.public_key():
            raise SettingsWrong("certificate: the private key is not that of this certificate")
        return key, {"x5t#S256": _encoded(certificate.fingerprint(hashes.SHA256()))}
    thumbprint = credentials.client_thumbprint.strip().replace(":", "")
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
