"""Connections to Exchange over EWS: what an admin sets, checked, and the live connection that comes of it."""

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
from integrations.ews.protocol import MOST_CONNECTIONS, AnswerPolicy, ConnectionProtocol
from integrations.network.kept import Kept
from integrations.network.settings import ServerSettings, check_way
from integrations.network.transport import CallDeadline, tls_context

AUTH_TYPES = {"ntlm": NTLM, "basic": BASIC, "oauth2": OAUTH2, "certificate": OAUTH2, "service_user": OAUTH2}
WAYS = {NTLM: "ntlm", BASIC: "basic", OAUTH2: "bearer"}
"""The scheme of HTTP by which each signs in."""
CLOUD_SCOPE = "https://outlook.office365.com/.default"


@dataclass(frozen=True, slots=True)
class ConnectionSettings(ServerSettings):
    """`access`: by impersonation or as a delegate. `build_version`: of the server, where it is known."""

    access: str
    build_version: str = field(default="", kw_only=True)


def connection(settings: ConnectionSettings, *, fresh: bool = False) -> ConnectionProtocol:
    """The open connection with these settings; made, without any request, when there is none, or where it must be `fresh`.
    Raises `SettingsWrong`."""
    return _kept.get(settings, fresh=fresh)


def close_all() -> None:
    """Close every connection of this process."""
    _kept.close_all()


def _made(settings: ConnectionSettings) -> ConnectionProtocol:
    if settings.auth not in AUTH_TYPES:
        raise SettingsWrong("sign-in: there is no way of this name")
    check_way(settings)
    deadline = CallDeadline(settings.deadline)
    context = tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle)
    config = Configuration(
        service_endpoint=settings.endpoint,
        credentials=_credentials(settings, context, deadline),
        auth_type=AUTH_TYPES[settings.auth],
        version=_version(settings.build_version),
        retry_policy=AnswerPolicy(WAYS[AUTH_TYPES[settings.auth]]),
        max_connections=MOST_CONNECTIONS,
    )
    return ConnectionProtocol.made(
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
        raise SettingsWrong("user name and password are both needed")
    return service_account(settings.username, settings.password)


def _version(text: str) -> Version | None:
    if not text:
        return None
    try:
        return Version(build=Build(*(int(part) for part in text.split("."))))
    except (TypeError, ValueError) as error:
        raise SettingsWrong("build version: no Exchange of this number is known") from error


_kept: Kept[ConnectionSettings, ConnectionProtocol] = Kept(_made)
