"""Connections to Exchange over EWS: checked settings, and at most one open connection per integration and process."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from exchangelib.configuration import Configuration
from exchangelib.credentials import BaseCredentials
from exchangelib.transport import BASIC, NTLM, OAUTH2
from exchangelib.version import Build, Version

from integrations.entra.signin import TokenSignIn
from integrations.errors import SettingsWrong
from integrations.ews.credentials import TokenCredentials, service_account
from integrations.ews.protocol import MAX_CONNECTIONS, AnswerPolicy, ConnectionProtocol
from integrations.network.connection_cache import ConnectionCache
from integrations.network.settings import ServerSettings, check_server_settings
from integrations.network.transport import CallDeadline, tls_context

AUTH_TYPES = {"ntlm": NTLM, "basic": BASIC, "oauth2": OAUTH2, "certificate": OAUTH2, "service_user": OAUTH2}
"""Auth type of exchangelib for each sign-in type of an integration."""
SCHEMES = {NTLM: "ntlm", BASIC: "basic", OAUTH2: "bearer"}
"""HTTP authentication scheme for each auth type of exchangelib."""
CLOUD_SCOPE = "https://outlook.office365.com/.default"


@dataclass(frozen=True, slots=True)
class ConnectionSettings(ServerSettings):
    """Settings of a connection.

    Attributes:
        access: Access type: impersonation or delegate.
        build_version: Build of the server, such as `15.2.1118`; blank if it is not known.
    """

    access: str
    build_version: str = field(default="", kw_only=True)


def connection(settings: ConnectionSettings, *, fresh: bool = False) -> ConnectionProtocol:
    """Return the open connection with these settings, or a new one. Sends no request.

    Args:
        settings: Settings of the connection.
        fresh: Whether to replace an open connection with a new one, which signs in again.

    Returns:
        The connection, which all threads of this process share.

    Raises:
        SettingsWrong: A setting cannot be used.
    """
    return _connections.get(settings, fresh=fresh)


def close_all() -> None:
    """Close every EWS connection of this process."""
    _connections.close_all()


def _new_connection(settings: ConnectionSettings) -> ConnectionProtocol:
    if settings.auth not in AUTH_TYPES:
        raise SettingsWrong("sign-in: this type of sign-in does not exist")
    check_server_settings(settings)
    deadline = CallDeadline(settings.deadline)
    context = tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle)
    config = Configuration(
        service_endpoint=settings.endpoint,
        credentials=_credentials(settings, context, deadline),
        auth_type=AUTH_TYPES[settings.auth],
        version=_version(settings.build_version),
        retry_policy=AnswerPolicy(SCHEMES[AUTH_TYPES[settings.auth]]),
        max_connections=MAX_CONNECTIONS,
    )
    return ConnectionProtocol.create(
        config,
        context=context,
        proxy=settings.proxy,
        user_agent=settings.user_agent,
        deadline=deadline,
    )


def _credentials(settings: ConnectionSettings, context: ssl.SSLContext, deadline: CallDeadline) -> BaseCredentials:
    if AUTH_TYPES[settings.auth] == OAUTH2:
        return TokenCredentials(TokenSignIn(settings, CLOUD_SCOPE, context), deadline.left)
    if not (settings.username and settings.password):
        raise SettingsWrong("the user name and the password are both required")
    return service_account(settings.username, settings.password)


def _version(text: str) -> Version | None:
    if not text:
        return None
    try:
        return Version(build=Build(*(int(part) for part in text.split("."))))
    except (TypeError, ValueError) as error:
        raise SettingsWrong("build version: this is not a version number of Exchange") from error


_connections: ConnectionCache[ConnectionSettings, ConnectionProtocol] = ConnectionCache(_new_connection)
