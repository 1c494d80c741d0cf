"""Read and check the private key and the certificate (PEM) with which an application signs in.

The checks run when a user enters a key or a certificate, so that a worker does not fail later because of wrong input.
The module has no side effects.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509 import Certificate, load_pem_x509_certificate

WARN_BEFORE = timedelta(days=30)
"""A certificate that ends within this time is shown with a warning."""
BOUNDARY = re.compile(r"(?=-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----)")
"""The pattern is a lookahead, so that it also finds a boundary that begins with the last dashes of the previous boundary."""
ENCRYPTED = "Proc-Type: 4,ENCRYPTED"
"""The header of a key with a passphrase in the traditional format of OpenSSL (RFC 1421)."""

NO_KEY = "No private key was entered. A private key begins with -----BEGIN PRIVATE KEY-----."
KEY_UNREADABLE = "This private key cannot be read. Export it again, as PEM: openssl pkey -in key.pem -out plain.pem"
KEY_ENCRYPTED = (
    "This private key has a passphrase, which a worker cannot enter. Remove the passphrase: "
    "openssl pkey -in key.pem -out plain.pem. The key is stored encrypted here."
)
KEY_NOT_RSA = "Entra takes RSA keys only. Make a new pair with an RSA key of 2048 bits or more."
SEVERAL_KEYS = "You entered several private keys. Leave only the key of the certificate."
CERTIFICATE_UNREADABLE = "This is not a PEM certificate. A certificate begins with -----BEGIN CERTIFICATE-----."
RENEW = (
    "Make a new certificate, upload it to the app in Entra in addition to the old one, and enter it here with its key."
)
NO_MATCH = "The certificate belongs to another private key. Enter a key and a certificate that were made together."


class CertificateWrong(ValueError):
    """A key or certificate that cannot be used. Its text is shown to the user.

    Attributes:
        field: The form field at fault, for example `client_key` or `client_certificate`.
    """

    def __init__(self, field: str, text: str) -> None:
        """Create the error.

        Args:
            field: The form field at fault.
            text: What is wrong, for the user.
        """
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Pem:
    """The private keys and the certificates of a text.

    Attributes:
        keys: The PEM blocks of private keys, without duplicates.
        certificates: The PEM blocks of certificates, without duplicates.
    """

    keys: tuple[str, ...]
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The properties of a certificate that are shown to users.

    Attributes:
        thumbprint: SHA-1 in upper-case hexadecimal digits, as Entra shows it.
        begins: The first moment at which the certificate is valid, in UTC.
        ends: The last moment at which the certificate is valid, in UTC.
    """

    thumbprint: str
    begins: datetime
    ends: datetime


def blocks(*texts: str) -> Pem:
    """Separate private keys and certificates.

    Args:
        texts: The entered texts. Each may contain keys, certificates, or both.

    Returns:
        The PEM blocks of all texts, with LF line endings.
    """
    found = [(label, block.replace("\r\n", "\n")) for text in texts for label, block in labelled_blocks(text)]
    keys = dict.fromkeys(block for label, block in found if label.endswith("PRIVATE KEY"))
    return Pem(tuple(keys), tuple(dict.fromkeys(block for label, block in found if label == "CERTIFICATE")))


def labelled_blocks(text: str) -> list[tuple[str, str]]:
    """Return each PEM block of a text: from `BEGIN` to the next `END` with the same label.

    The positions of all `END` boundaries are collected first. A search from each `BEGIN` would take quadratic time
    where the `END` is missing.

    Args:
        text: Any text.

    Returns:
        Label and block, in the order of the text. Blocks do not overlap.
    """
    boundaries = [(match[1], match[2], match.start()) for match in BOUNDARY.finditer(text)]
    ends: dict[str, list[int]] = {}
    for kind, label, position in boundaries:
        if kind == "END":
            ends.setdefault(label, []).append(position)
    found, block_end = [], 0
    for kind, label, position in boundaries:
        if kind == "END" or position < block_end:
            continue
        positions = ends.get(label, [])
        following = bisect_left(positions, position + len(f"-----BEGIN {label}-----"))
        if following < len(positions):
            block_end = positions[following] + len(f"-----END {label}-----")
            found.append((label, text[position:block_end]))
    return found


def facts(certificate: str) -> Facts:
    """Return the thumbprint and the dates of a certificate.

    Args:
        certificate: The certificate in PEM.

    Returns:
        The facts of the certificate.

    Raises:
        CertificateWrong: The text is no certificate.
    """
    return _facts(_certificate(certificate))


def thumbprints(certificate: str) -> tuple[str, str]:
    """Return the thumbprints of a certificate.

    Args:
        certificate: The certificate in PEM.

    Returns:
        SHA-1 and SHA-256, in upper-case hexadecimal digits.

    Raises:
        CertificateWrong: The text is no certificate.
    """
    parsed = _certificate(certificate)
    return parsed.fingerprint(hashes.SHA1()).hex().upper(), parsed.fingerprint(hashes.SHA256()).hex().upper()  # noqa: S303  # only an identifier


def check_key(key: str) -> None:
    """Check that an application can sign in with a private key.

    Args:
        key: The key in PEM.

    Raises:
        CertificateWrong: The key cannot be read, has a passphrase, or is no RSA key.
    """
    _key(key)


def matching(key: str, certificates: tuple[str, ...]) -> str:
    """Return the certificate of a private key.

    Args:
        key: The key in PEM.
        certificates: Certificates in PEM, for example a whole chain.

    Returns:
        The certificate, in PEM.

    Raises:
        CertificateWrong: None of the certificates belongs to the key, a certificate cannot be read, or the key cannot be
            used: see `check_key`.
    """
    own = _public(_key(key))
    found = next((pem for pem in certificates if _public(_certificate(pem)) == own), None)
    if found is None:
        raise CertificateWrong("client_certificate", NO_MATCH)
    return found


def check_dates(certificate: str, now: datetime) -> None:
    """Check that a certificate is valid now.

    Args:
        certificate: The certificate in PEM.
        now: The current time.

    Raises:
        CertificateWrong: The certificate has expired, is not valid yet, or cannot be read.
    """
    dates = facts(certificate)
    if dates.ends <= now:
        raise CertificateWrong(
            "client_certificate",
            f"This certificate ended on {dates.ends:%-d %B %Y}. Make a new certificate and also upload it to the app in Entra.",
        )
    if dates.begins > now:
        raise CertificateWrong("client_certificate", f"This certificate is valid from {dates.begins:%-d %B %Y} only.")


@dataclass(frozen=True, slots=True)
class ValidityNote:
    """A remark about a certificate for a page.

    Attributes:
        text: The remark.
        tone: `ok`, `warn` or `bad`, which selects the colour.
        ends: The last moment of the validity of the certificate, in UTC.
    """

    text: str
    tone: str
    ends: datetime


def note(certificate: str, now: datetime) -> ValidityNote | None:
    """Return a remark about the remaining validity of a certificate.

    Args:
        certificate: The certificate in PEM; may be blank.
        now: The current time.

    Returns:
        The remark; None where there is no readable certificate.
    """
    try:
        known = facts(certificate)
    except CertificateWrong:
        return None
    ends, days = f"{known.ends:%-d %B %Y}", (known.ends - now).days
    thumbprint = f"Its thumbprint is {known.thumbprint}."
    if known.ends <= now:
        return ValidityNote(
            f"The certificate ended on {ends}, so sign-in fails. {RENEW} {thumbprint}", "bad", known.ends
        )
    if known.ends - now <= WARN_BEFORE:
        remaining = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        return ValidityNote(f"The certificate ends {remaining}, on {ends}. {RENEW} {thumbprint}", "warn", known.ends)
    return ValidityNote(f"The certificate is valid until {ends}. {thumbprint}", "ok", known.ends)


def _facts(certificate: Certificate) -> Facts:
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # the identifier that Entra uses
    return Facts(thumbprint, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _certificate(pem: str) -> Certificate:
    try:
        return load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise CertificateWrong("client_certificate", CERTIFICATE_UNREADABLE) from None


def _key(pem: str) -> RSAPrivateKey:
    if "ENCRYPTED PRIVATE KEY" in pem or ENCRYPTED in pem:
        raise CertificateWrong("client_key", KEY_ENCRYPTED)
    try:
        key: PrivateKeyTypes = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateWrong("client_key", KEY_UNREADABLE) from None
    if not isinstance(key, RSAPrivateKey):
        raise CertificateWrong("client_key", KEY_NOT_RSA)
    return key


def _public(holder: RSAPrivateKey | Certificate) -> bytes:
    public = holder.public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
