"""The network on the way to Exchange, step by step: name, port, TLS. Behind a proxy only the proxy could tell."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from integrations.diagnosis import DiagnosisStep, Probe, walked
from integrations.errors import CertificateUntrusted, ExchangeUnreachable, TlsFailed
from integrations.network.settings import ServerSettings
from integrations.network.transport import tls_context


def network_steps(settings: ServerSettings) -> Iterator[DiagnosisStep]:
    """Up to the first step that fails. Raises nothing that a test of a connection does not raise as well."""
    if settings.proxy:
        return iter(())
    way = _Way(settings)
    probes: list[Probe] = [("Name", way.resolve), ("Port", way.connect), ("TLS", way.secure)]
    return walked(probes)


class _Way:
    def __init__(self, settings: ServerSettings) -> None:
        parts = urlsplit(settings.endpoint)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._settings = settings

    def resolve(self) -> str:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ExchangeUnreachable(f"no address for {self._host}") from error
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        return f"{self._host} is {', '.join(list(addresses)[:4])}."

    def connect(self) -> str:
        with self._socket():
            return f"Port {self._port} is open."

    def secure(self) -> str:
        settings = self._settings
        context = tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle)
        try:
            with self._socket() as plain, context.wrap_socket(plain, server_hostname=self._host) as secured:
                return f"{secured.version()} is agreed upon, and the certificate is trusted."
        except ssl.SSLCertVerificationError as error:
            raise CertificateUntrusted(error.verify_message) from error
        except ssl.SSLError as error:
            raise TlsFailed(error.reason or "") from error
        except OSError as error:
            raise ExchangeUnreachable(type(error).__name__) from error

    def _socket(self) -> socket.socket:
        try:
            return socket.create_connection((self._host, self._port), timeout=self._settings.deadline)
        except OSError as error:
            raise ExchangeUnreachable(f"port {self._port}: {error.strerror or type(error).__name__}") from error
