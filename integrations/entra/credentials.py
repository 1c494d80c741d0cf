"""The credentials of a sign-in to Entra: an application with its secret or its certificate, or a service user.

This module checks the credentials, and signs the assertions of an application with a certificate. It sends no request.
"""

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

AUTH_KINDS = ("oauth2", "certificate", "service_user")
"""The values of `ServerSettings.auth` that sign in to Entra."""
ASSERTION_LIFETIME = 600
"""Seconds that a signed client assertion is valid."""


def check_entered(settings: ServerSettings) -> None:
    """Check the format and completeness of the credentials, without a request to Entra.

    Args:
        settings: The settings of the connection.

    Raises:
        SettingsWrong: A value is missing or invalid.
    """
    if settings.auth not in AUTH_KINDS:
        raise SettingsWrong("sign-in: unknown kind")
    if not (settings.tenant_id and settings.client_id):
        raise SettingsWrong("tenant ID and application ID are both needed")
    if not all(char.isalnum() or char in "-._" for char in settings.tenant_id):
        raise SettingsWrong("tenant ID: it must be a GUID or a domain")
    if settings.auth == "oauth2" and not settings.client_secret:
        raise SettingsWrong("tenant ID, application ID and client secret are all needed")
    if settings.auth == "service_user" and not (settings.username and settings.password):
        raise SettingsWrong("user name and password are both needed")
    if settings.auth == "certificate":
        _key_and_headers(settings)


def client_credential(settings: ServerSettings, audience: Callable[[], str]) -> Any:
    """Return the argument `client_credential` of MSAL.

    Args:
        settings: The settings of the connection.
        audience: Function that returns the URL of the token endpoint.

    Returns:
        A client assertion or a client secret; None if the connection has neither.
    """
    if settings.auth == "certificate":
        return {"client_assertion": Assertion(settings, audience)}
    return settings.client_secret or None


class Assertion:
    """A client assertion that is signed anew for each request of a token (RFC 7523)."""

    def __init__(self, settings: ServerSettings, audience: Callable[[], str]) -> None:
        """Read the key and the certificate.

        Args:
            settings: The settings of the connection.
            audience: Function that returns the URL of the token endpoint.

        Raises:
            SettingsWrong: Key, certificate or thumbprint is invalid.
        """
        self._key, self._headers = _key_and_headers(settings)
        self._issuer, self._audience = settings.client_id, audience

    def __call__(self) -> str:
        """Return a signed JWT that is valid for `ASSERTION_LIFETIME` seconds."""
        # If the admin entered only a SHA-1 thumbprint, this thumbprint identifies the certificate. SHA-1 is not used to sign.
        algorithm = "PS256" if "x5t#S256" in self._headers else "RS256"
        creator = JwtAssertionCreator(self._key, algorithm, headers=dict(self._headers))
        token: bytes = creator.create_normal_assertion(self._audience(), self._issuer, expires_in=ASSERTION_LIFETIME)
        return token.decode()


def _key_and_headers(settings: ServerSettings) -> tuple[rsa.RSAPrivateKey, dict[str, str]]:
    """Return the private key, and the JWT header that identifies the certificate.

    Raises:
        SettingsWrong: Key, certificate or thumbprint is invalid.
    """
    key = _key(settings.client_key)
    if settings.client_certificate.strip():
        certificate = _certificate(settings.client_certificate)
        if certificate.public_key() != key.public_key():
            raise SettingsWrong("certificate: the private key does not belong to this certificate")
        return key, {"x5t#S256": _encoded(certificate.fingerprint(hashes.SHA256()))}
    thumbprint = settings.client_thumbprint.strip().replace(":", "")
    try:
        raw = bytes.fromhex(thumbprint)
    except ValueError:
        raw = b""
    if len(raw) not in (20, 32):
        raise SettingsWrong("certificate: the certificate or its thumbprint (40 or 64 hexadecimal digits) is needed")
    return key, {"x5t" if len(raw) == 20 else "x5t#S256": _encoded(raw)}


def _key(pem: str) -> rsa.RSAPrivateKey:
    if not pem.strip():
        raise SettingsWrong("certificate: its private key is needed")
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except TypeError:
        raise SettingsWrong("private key: it has a passphrase; enter it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsWrong("private key: this is not a key in PEM format, or it cannot be read") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsWrong("private key: Entra accepts only RSA keys")
    return key


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise SettingsWrong("certificate: this is not a certificate in PEM format") from None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
