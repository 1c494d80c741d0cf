"""Connections to Exchange: what an admin sets, checked; and one live connection for each, per process.

A connection is made when it is first needed, and so after a worker process was forked; it is closed when its settings change,
when too many others came after it, and when the process ends.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from exchangelib.configuration import Configuration
from exchangelib.credentials import BaseCredentials
from exchangelib.transport import BASIC, NTLM, OAUTH2
from exchangelib.version import Build, Version

from integrations.errors import SettingsWrong
from integrations.exchange.credentials import ClientCredentials, service_account
from integrations.exchange.protocol import MOST_CONNECTIONS, AnswerPolicy, ConnectionProtocol
from integrations.exchange.transport import Deadline, tls_context

MOST_OPEN = 64
AUTH_TYPES = {"ntlm": NTLM, "basic": BASIC, "oauth2": OAUTH2}
CLOUD_SCOPE = "https://outlook.office365.com/.default"


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """All that a connection depends on. Two that are equal share one; a changed secret makes another."""

    key: str
    """The integration it belongs to: of one key at most one connection is open."""
    endpoint: str
    auth: str
    access: str
    username: str = ""
    password: str = field(default="", repr=False)
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    authority: str = "https://login.microsoftonline.com"
    build_version: str = ""
    tls_minimum: str = ""
    tls_ciphers: str = ""
    ca_bundle: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    user_agent: str = "reinfer-exchange"
    deadline: float = 120.0
    """Seconds that one call may take, all in all."""


def connection(settings: ConnectionSettings) -> ConnectionProtocol:
    """The open connection with these settings; made, without any request, when there is none. Raises `SettingsWrong`."""
    with _lock:
        pid, known, protocol = _open.get(settings.key, (0, None, None))
        if protocol is not None and pid == os.getpid() and known == settings:
            _open.move_to_end(settings.key)
            return protocol
        made = _made(settings)
        _open[settings.key] = (os.getpid(), settings, made)
        _open.move_to_end(settings.key)
        stale = [protocol] if protocol is not None and pid == os.getpid() else []
        while len(_open) > MOST_OPEN:
            stale.append(_open.popitem(last=False)[1][2])
    for old in stale:
        old.close()
    return made


def close_all() -> None:
    """Close every connection of this process."""
    with _lock:
        mine = [protocol for pid, _, protocol in _open.values() if pid == os.getpid()]
        _open.clear()
    for protocol in mine:
        protocol.close()


_open: OrderedDict[str, tuple[int, ConnectionSettings, ConnectionProtocol]] = OrderedDict()
_lock = threading.Lock()
atexit.register(close_all)


def _made(settings: ConnectionSettings) -> ConnectionProtocol:
    if settings.auth not in AUTH_TYPES:
        raise SettingsWrong("sign-in: there is no way of this name")
    if not (settings.user_agent.isascii() and settings.user_agent.isprintable()):
        raise SettingsWrong("user agent: only letters, digits and signs of ASCII can be sent")
    _check_url(settings.endpoint, "endpoint", ("https",))
    if settings.proxy:
        _check_url(settings.proxy, "proxy", ("http", "https"))
    config = Configuration(
        service_endpoint=settings.endpoint,
        credentials=_credentials(settings),
        auth_type=AUTH_TYPES[settings.auth],
        version=_version(settings.build_version),
        retry_policy=AnswerPolicy(),
        max_connections=MOST_CONNECTIONS,
    )
    return ConnectionProtocol.made(
        config,
        context=tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle),
        proxy=settings.proxy,
        user_agent=settings.user_agent,
        deadline=Deadline(settings.deadline),
    )


def _credentials(settings: ConnectionSettings) -> BaseCredentials:
    if settings.auth == "oauth2":
        _check_url(settings.authority, "sign-in service", ("https",))
        if not (settings.tenant_id and settings.client_id and settings.client_secret):
            raise SettingsWrong("tenant ID, application ID and client secret are all needed")
        return ClientCredentials(
            tenant_id=settings.tenant_id,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            authority=settings.authority,
            scope=CLOUD_SCOPE,
        )
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


def _check_url(url: str, name: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        # What requests would refuse, and a name that cannot be one: both would look like a failure of Exchange.
        requests.PreparedRequest().prepare_url(url, None)
        (parts.hostname or "").encode("idna")
    except ValueError:
        right = False
    if not right:
        raise SettingsWrong(f"{name}: it must be the address of a server and begin with {' or '.join(schemes)}://")
