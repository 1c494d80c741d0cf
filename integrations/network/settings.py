"""The settings of a connection, and checks of them that run before a request is sent."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from urllib.parse import urlsplit

import requests

from integrations.errors import SettingsWrong


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings of a connection to Exchange, of both EWS and Graph.

    Equal settings share one connection; a changed secret leads to a new connection.

    Attributes:
        key: A text that identifies the integration. At most one connection per key is open.
        endpoint: The address of EWS or Graph.
        auth: The kind of sign-in: a value of `Integration.Auth`.
        username: The account, for NTLM, Basic and a service user.
        password: The password of the account.
        tenant_id: The tenant, for OAuth.
        client_id: The application, for OAuth.
        client_secret: The secret of the application.
        client_key: The private key of the application, in PEM.
        client_certificate: The certificate of the application, in PEM; may be blank if the thumbprint is set.
        client_thumbprint: The thumbprint of the certificate: SHA-1 or SHA-256 in hexadecimal digits; may be blank if the
            certificate is set.
        authority: The address of the sign-in service.
        tls_minimum: `1.0` to `1.3`; blank for the default of the system.
        tls_ciphers: A cipher list of OpenSSL; blank for the default.
        ca_bundle: Certificates to trust in addition to those of the system, in PEM.
        proxy: The address of the proxy; blank for the proxy of the environment variables.
        user_agent: The User-Agent header.
        deadline: Maximum number of seconds that one call may take in total.
    """

    key: str
    endpoint: str
    auth: str
    _: KW_ONLY
    username: str = ""
    password: str = field(default="", repr=False)
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_thumbprint: str = ""
    authority: str = "https://login.microsoftonline.com"
    tls_minimum: str = ""
    tls_ciphers: str = ""
    ca_bundle: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    user_agent: str = "reinfer-exchange"
    deadline: float = 120.0


def check_server_settings(way: ServerSettings) -> None:
    """Check the user agent, the endpoint and the proxy of a connection.

    Args:
        way: The settings of the connection.

    Raises:
        SettingsWrong: One of these settings is invalid.
    """
    if not (way.user_agent.isascii() and way.user_agent.isprintable()):
        raise SettingsWrong("user agent: only printable ASCII characters are allowed")
    check_url(way.endpoint, "endpoint", ("https",))
    if way.proxy:
        check_url(way.proxy, "proxy", ("http", "https"))


def check_url(url: str, name: str, schemes: tuple[str, ...]) -> None:
    """Check the address of a server.

    Args:
        url: The address.
        name: The name of the setting, for the error.
        schemes: The allowed schemes.

    Raises:
        SettingsWrong: The address is invalid.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        # Without this check, an invalid address or host name would be reported as a failure of Exchange.
        requests.PreparedRequest().prepare_url(url, None)
        (parts.hostname or "").encode("idna")
    except ValueError:
        valid = False
    if not valid:
        beginnings = " or ".join(f"{scheme}://" for scheme in schemes)
        raise SettingsWrong(f"{name}: it must be the address of a server and begin with {beginnings}")
