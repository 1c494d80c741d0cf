"""Test the network to Exchange step by step: name, port, TLS.

If a proxy is set, the steps are skipped, because the proxy resolves the name and opens the connection. A proxy of the
environment variables is not considered: the steps connect directly.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from integrations.diagnosis import DiagnosisStep, StepFunction, run_steps
from integrations.errors import CertificateUntrusted, ExchangeUnreachable, TlsFailed
from integrations.network.settings import ServerSettings
from integrations.network.transport import tls_context


def network_steps(settings: ServerSettings) -> Iterator[DiagnosisStep]:
    """Test name resolution, the port and TLS.

    Args:
        settings: The settings of the connection.

    Returns:
        The results, up to the first step that fails; none if the settings name a proxy.
    """
    if settings.proxy:
        return iter(())
    network = _Network(settings)
    functions: list[StepFunction] = [("Name", network.resolve), ("Port", network.connect), ("TLS", network.secure)]
    return run_steps(functions)


class _Network:
    """The steps of the test of one server. Each method returns its result as text, or raises an `IntegrationError`."""

    def __init__(self, settings: ServerSettings) -> None:
        parts = urlsplit(settings.endpoint)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._settings = settings

    def resolve(self) -> str:
        try:
            entries = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ExchangeUnreachable(f"no address for {self._host}") from error
        addresses = dict.fromkeys(str(entry[4][0]) for entry in entries)
        return f"{self._host} is {', '.join(list(addresses)[:4])}."

    def connect(self) -> str:
        with self._socket():
            return f"Port {self._port} is open."

    def secure(self) -> str:
        settings = self._settings
        context = tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle)
        try:
            with self._socket() as plain, context.wrap_socket(plain, server_hostname=self._host) as secured:
                return f"{secured.version()} was negotiated, and the certificate is trusted."
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
