"""Make keys and certificates for tests of the sign-in by certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NO_PASSPHRASE = serialization.NoEncryption()


@cache
def rsa_key(number: int = 1) -> rsa.RSAPrivateKey:
    """Return the key with this number. The keys are cached, because generating a key is slow."""
    return rsa.generate_private_key(65537, 2048)


def key_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> str:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else NO_PASSPHRASE
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def certificate_pem(
    key: rsa.RSAPrivateKey, *, days: float = 365, begins: float = -1, now: datetime | None = None
) -> str:
    """Return a self-signed certificate that is valid from `begins` days from now to `days` days from now."""
    now = now or datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exchange-to-reinfer")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
