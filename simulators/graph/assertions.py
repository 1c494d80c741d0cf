"""Verifies client assertions: JWTs that an app signs with the key of its certificate (RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = 300.0
"""Maximum difference between the clocks of client and server, in seconds."""


class BadAssertion(Exception):
    """An invalid assertion, with the number and the text of Entra's error."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number, self.text = number, text


def verify(
    assertion: str, *, client_id: str, certificates: Iterable[str], audiences: Collection[str], now: float
) -> None:
    """Raises `BadAssertion` for an invalid assertion. `now`: Unix time.

    `certificates`: the certificates of the app registration, in PEM.
    """
    header, claims, signed, signature = _parsed(assertion)
    certificate = _certificate_of(header, certificates)
    _check_signature(header.get("alg"), certificate, signed, signature)
    _check_claims(claims, client_id, audiences, now)
    moment = datetime.fromtimestamp(now, UTC)
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise BadAssertion(1000502, "The provided certificate is not within its specified validity period.")


def thumbprint(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> str:
    """The thumbprint as in the JWT headers `x5t` (SHA-1) and `x5t#S256` (SHA-256)."""
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).decode().rstrip("=")


def _parsed(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    signed, _, signature = assertion.rpartition(".")
    try:
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        known = header, claims, signed.encode("ascii"), _decoded(signature)
    except (ValueError, binascii.Error):
        raise BadAssertion(50027, "JWT token is invalid or malformed.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise BadAssertion(50027, "JWT token is invalid or malformed.")
    return known


def _certificate_of(header: dict[str, Any], certificates: Iterable[str]) -> x509.Certificate:
    given = [(name, header[name]) for name in ("x5t#S256", "x5t") if header.get(name)]
    for pem in certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        # SHA-1 is safe here, because the thumbprint only identifies a certificate.
        own = {"x5t#S256": thumbprint(certificate, hashes.SHA256()), "x5t": thumbprint(certificate, hashes.SHA1())}
        if given and all(hmac.compare_digest(own[name], str(value).rstrip("=")) for name, value in given):
            return certificate
    raise BadAssertion(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application."
        " [Reason - The key was not found.]",
    )


def _check_signature(algorithm: object, certificate: x509.Certificate, signed: bytes, signature: bytes) -> None:
    kind = hashes.SHA256()
    pads: dict[object, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(mgf=padding.MGF1(kind), salt_length=kind.digest_size),
    }
    key, pad = certificate.public_key(), pads.get(algorithm)
    try:
        if isinstance(key, rsa.RSAPublicKey) and pad is not None:
            key.verify(signature, signed, pad, kind)
            return
    except InvalidSignature:
        pass
    raise BadAssertion(700027, "Client assertion contains an invalid signature. [Reason - Another key was used.]")


def _check_claims(claims: dict[str, Any], client_id: str, audiences: Collection[str], now: float) -> None:
    if not claims.get("iss") == claims.get("sub") == client_id:
        raise BadAssertion(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
    if claims.get("aud") not in audiences:
        raise BadAssertion(700023, "Client assertion audience claim does not match Realm issuer.")
    until, begin = claims.get("exp"), claims.get("nbf", now)
    if not isinstance(until, int | float) or not isinstance(begin, int | float):
        raise BadAssertion(50027, "JWT token is invalid or malformed.")
    if not begin - SKEW <= now < until + SKEW:
        raise BadAssertion(700024, "Client assertion is not within its valid time range.")


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
