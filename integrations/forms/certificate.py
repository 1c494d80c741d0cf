"""Form fields for a private key and a certificate, which are pasted or uploaded, together or separately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from integrations import certificates
from integrations.certificates import CertificateWrong
from integrations.encryption import Secret
from integrations.errors import SecretUnreadable

LONGEST = 64 * 1024
"""Maximum length of the key and certificate fields in characters, and of a file in bytes. Usual chains are much shorter."""
NOT_PEM = (
    "This is not a PEM file of at most 64 KiB. Convert a .pfx file with: openssl pkcs12 -in app.pfx -nodes -out app.pem"
)
CERTIFICATE_MISSING = "Enter the certificate that was uploaded to the app in Entra, or at least its thumbprint."
OTHER_THUMBPRINT = (
    "This is the thumbprint of another certificate. Leave the field empty: the thumbprint is read from the certificate."
)
ENTER_AGAIN = "The stored key cannot be decrypted. Enter the key together with the certificate."


class CertificateArea(forms.Textarea):
    """A text area that shows certificates, which are public, and never a private key."""

    def format_value(self, value: Any) -> str:
        """Return the certificates of the value, without a private key that was pasted by mistake."""
        return public_part(str(value or ""))


def public_part(text: str) -> str:
    """Remove private keys from a text, because the certificate field is stored unencrypted.

    Args:
        text: The content of the certificate field.

    Returns:
        The text unchanged where it has no private key; else only its certificates.
    """
    return "\n".join(certificates.blocks(text).certificates) if "PRIVATE KEY" in text else text


class PemFile(forms.FileField):
    """A file with a key, a certificate, or both. Its cleaned value is the text of the file."""

    def clean(self, data: Any, initial: Any = None) -> str:
        """Read the file.

        Args:
            data: The uploaded file; None for none.
            initial: As in Django.

        Returns:
            The text; empty for no file.

        Raises:
            ValidationError: The file is larger than `LONGEST` bytes, or is not a PEM file.
        """
        uploaded = super().clean(data, initial)
        if not uploaded:
            return ""
        raw: bytes = uploaded.read(LONGEST + 1)
        if len(raw) > LONGEST or b"-----BEGIN " not in raw:
            raise forms.ValidationError(NOT_PEM)
        return raw.decode("ascii", "replace").replace("\0", "")


@dataclass(frozen=True, slots=True)
class Entered:
    """The checked values of the fields.

    Attributes:
        key: The private key in PEM; empty to keep the stored key.
        certificate: The certificate in PEM; empty where only the thumbprint was entered.
        thumbprint: The thumbprint of the certificate.
    """

    key: str
    certificate: str
    thumbprint: str


def read_entered(cleaned: Mapping[str, Any], before: Mapping[str, Any], stored: Secret, now: datetime) -> Entered:
    """Separate and check the entered key, certificate, file and thumbprint.

    Args:
        cleaned: The cleaned values of the form, by field name.
        before: The stored values, by field name; empty for a new row.
        stored: The stored key.
        now: The current time.

    Returns:
        The values to store.

    Raises:
        CertificateWrong: A value cannot be used, or key, certificate and thumbprint do not match.
    """
    typed_key, certificate, file = (
        cleaned.get(name) or "" for name in ("client_key", "client_certificate", "client_file")
    )
    thumbprint = str(cleaned.get("client_thumbprint") or "").upper()
    pem = certificates.blocks(file, typed_key, certificate)
    key = _new_key(pem, typed_key)
    same = certificate.strip() == str(before.get("client_certificate") or "").strip()
    if same and not typed_key and not file:
        _check_thumbprint(certificate, thumbprint)
        return Entered("", certificate, thumbprint)
    new_thumbprint = bool(thumbprint) and thumbprint != str(before.get("client_thumbprint") or "").upper()
    is_outdated = same and key and new_thumbprint and len(pem.certificates) == 1
    if is_outdated or not pem.certificates:
        # The vendor's product also accepts a key with only a thumbprint, and no certificate.
        return _without_certificate(key, "" if is_outdated else certificate, thumbprint)
    match = certificates.matching(key or _stored_key(stored), pem.certificates)
    certificates.check_dates(match, now)
    if new_thumbprint:
        _check_thumbprint(match, thumbprint)
    return Entered(key, match, certificates.facts(match).thumbprint)


def _new_key(pem: certificates.Pem, typed: str) -> str:
    if len(pem.keys) > 1:
        raise CertificateWrong("client_key", certificates.SEVERAL_KEYS)
    if pem.keys:
        certificates.check_key(pem.keys[0])
        return pem.keys[0]
    if typed and not certificates.blocks(typed).certificates:
        raise CertificateWrong("client_key", certificates.NO_KEY)
    return ""


def _stored_key(stored: Secret) -> str:
    try:
        key = stored.reveal()
    except SecretUnreadable:
        raise CertificateWrong("client_key", ENTER_AGAIN) from None
    if not key:
        raise CertificateWrong("client_key", certificates.NO_KEY)
    return key


def _without_certificate(key: str, certificate: str, thumbprint: str) -> Entered:
    if certificate.strip():
        raise CertificateWrong("client_certificate", certificates.CERTIFICATE_UNREADABLE)
    if not thumbprint:
        raise CertificateWrong("client_certificate", CERTIFICATE_MISSING)
    return Entered(key, "", thumbprint)


def _check_thumbprint(certificate: str, thumbprint: str) -> None:
    if certificate and thumbprint and thumbprint not in certificates.thumbprints(certificate):
        raise CertificateWrong("client_thumbprint", OTHER_THUMBPRINT)
