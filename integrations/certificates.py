"""The key and the certificate by which an application signs in: read from PEM, held against each other, dated. Pure.

Whatever is wrong is found when it is entered, and not at night by a worker.
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
BOUNDARY = re.compile(r"(?=-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----)")
"""Found also where one begins in the dashes of another."""
ENCRYPTED = "Proc-Type: 4,ENCRYPTED"
"""How OpenSSL once marked a key under a passphrase."""

NO_KEY = "There is no private key in it. It begins with -----BEGIN PRIVATE KEY-----."
KEY_UNREADABLE = "This private key cannot be read. Export it anew, as PEM: openssl pkey -in key.pem -out plain.pem"
KEY_ENCRYPTED = (
    "This private key is under a passphrase, which nobody could enter at night. Take it off: "
    "openssl pkey -in key.pem -out plain.pem. It is kept sealed here."
)
KEY_NOT_RSA = "Entra takes RSA keys only. Make a new pair with an RSA key of 2048 bits or more."
SEVERAL_KEYS = "There are several private keys in it. Leave only the one of the certificate."
CERTIFICATE_UNREADABLE = "This is no PEM certificate. It begins with -----BEGIN CERTIFICATE-----."
RENEW = "Make a new one, upload it to the app in Entra beside the old one, and enter it here with its key."
NO_MATCH = "The certificate belongs to another private key. Enter the two that were made together."


class CertificateWrong(ValueError):
    """`field`: which of the two is at fault, `client_key` or `client_certificate`."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Pem:
    """The private keys and the certificates in a text, each a PEM block of its own."""

    keys: tuple[str, ...]
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What people want to know of a certificate."""

    thumbprint: str
    """SHA-1 in upper-case hexadecimal, as Entra shows it."""
    begins: datetime
    ends: datetime


def blocks(*texts: str) -> Pem:
    """Sort what was entered: a file may hold the key, the certificate, or both."""
    found = [(label, block.replace("\r\n", "\n")) for text in texts for label, block in labelled_blocks(text)]
    keys = dict.fromkeys(block for label, block in found if label.endswith("PRIVATE KEY"))
    return Pem(tuple(keys), tuple(dict.fromkeys(block for label, block in found if label == "CERTIFICATE")))


def labelled_blocks(text: str) -> list[tuple[str, str]]:
    """The label of each PEM block in a text, and the block: from `BEGIN` to the next `END` of the same label.

    All ends are looked up first. To search for the end of each beginning takes quadratic time where there is none.
    """
    boundaries = [(one[1], one[2], one.start()) for one in BOUNDARY.finditer(text)]
    ends: dict[str, list[int]] = {}
    for kind, label, place in boundaries:
        if kind == "END":
            ends.setdefault(label, []).append(place)
    found, at = [], 0
    for kind, label, place in boundaries:
        if kind == "END" or place < at:
            continue
        places = ends.get(label, [])
        following = bisect_left(places, place + len(f"-----BEGIN {label}-----"))
        if following < len(places):
            at = places[following] + len(f"-----END {label}-----")
            found.append((label, text[place:at]))
    return found


def facts(certificate: str) -> Facts:
    """Raises `CertificateWrong`."""
    return _facts(_certificate(certificate))


def thumbprints(certificate: str) -> tuple[str, str]:
    """SHA-1 and SHA-256, in upper-case hexadecimal. Raises `CertificateWrong`."""
    read = _certificate(certificate)
    return read.fingerprint(hashes.SHA1()).hex().upper(), read.fingerprint(hashes.SHA256()).hex().upper()  # noqa: S303  # a name


def check_key(key: str) -> None:
    """That an application can sign with it. Raises `CertificateWrong`."""
    _key(key)


def matching(key: str, certificates: tuple[str, ...]) -> str:
    """The certificate of this key: a file may hold the whole chain. Raises `CertificateWrong`."""
    own = _public(_key(key))
    found = next((pem for pem in certificates if _public(_certificate(pem)) == own), None)
    if found is None:
        raise CertificateWrong("client_certificate", NO_MATCH)
    return found


def check_dates(certificate: str, now: datetime) -> None:
    """That it is valid now. Raises `CertificateWrong`."""
    told = facts(certificate)
    if told.ends <= now:
        raise CertificateWrong(
            "client_certificate",
            f"This certificate ended on {told.ends:%-d %B %Y}. Make a new one and upload it to the app in Entra, too.",
        )
    if told.begins > now:
        raise CertificateWrong("client_certificate", f"This certificate is valid from {told.begins:%-d %B %Y} only.")


@dataclass(frozen=True, slots=True)
class Note:
    """What to say of a certificate, and how it feels: ok, warn or bad."""

    text: str
    tone: str
    ends: datetime


def note(certificate: str, now: datetime) -> Note | None:
    """None where there is none, or none that can be read."""
    try:
        told = facts(certificate)
    except CertificateWrong:
        return None
    ends, days = f"{told.ends:%-d %B %Y}", (told.ends - now).days
    thumbprint = f"Its thumbprint is {told.thumbprint}."
    if told.ends <= now:
        return Note(
            f"The certificate ended on {ends}: nobody can sign in with it. {RENEW} {thumbprint}", "bad", told.ends
        )
    if told.ends - now <= WARN_BEFORE:
        left = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        return Note(f"The certificate ends {left}, on {ends}. {RENEW} {thumbprint}", "warn", told.ends)
    return Note(f"The certificate is valid until {ends}. {thumbprint}", "ok", told.ends)


def _facts(certificate: Certificate) -> Facts:
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # a name, by which Entra goes
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
