"""From a row of the database to an open port: the only place that names an adapter.

An adapter is imported when it is first needed: its library takes a second to load, and pages and commands do without.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from integrations.diagnosis import DiagnosisStep, Fact
from integrations.encryption import EncryptedField, Secret
from integrations.errors import SecretUnreadable
from integrations.models import Destination, Integration
from integrations.ports import Sink, Source

if TYPE_CHECKING:
    from integrations.ews.connection import ConnectionSettings
    from integrations.graph.connection import GraphSettings


def open_source(
    integration: Integration, address: str, *, deadline: float | None = None, fresh: bool = False
) -> Source:
    """The mailbox `address`, read through this integration. `deadline`: seconds that one request may take. `fresh`: this
    process signs in anew, and uses neither an open connection nor a token from before.

    Raises `SecretUnreadable`, `SecretElsewhere`, and `SettingsWrong` for values that cannot be used.
    """
    deadline = deadline or settings.EXCHANGE_DEADLINE.total_seconds()
    if integration.microsoft_api == Integration.Api.GRAPH:
        from integrations.graph.source import GraphSource

        return GraphSource(_graph_settings(integration, deadline), address, page_size=settings.PAGE_SIZE, fresh=fresh)
    from integrations.ews.source import ExchangeSource

    return ExchangeSource(_exchange_settings(integration, deadline), address, page_size=settings.PAGE_SIZE, fresh=fresh)


def open_secrets(*rows: Integration | Destination) -> None:
    """Decrypt every secret of these rows, and keep none. Raises `SecretUnreadable` where this process cannot, also where
    it has no usable key at all."""
    try:
        for row in rows:
            for secret in _secrets(row):
                secret.reveal()
    except ImproperlyConfigured as error:
        raise SecretUnreadable("this process has no usable key") from error


def has_secrets(row: Integration | Destination) -> bool:
    return any(_secrets(row))


def _secrets(row: Integration | Destination) -> list[Secret]:
    return [getattr(row, one.attname) for one in row._meta.concrete_fields if isinstance(one, EncryptedField)]


def network_steps(integration: Integration, *, deadline: float) -> Iterator[DiagnosisStep]:
    """The way to Exchange: name, port, TLS. Raises as `open_source`."""
    from integrations.network.steps import network_steps

    is_graph = integration.microsoft_api == Integration.Api.GRAPH
    return network_steps(
        _graph_settings(integration, deadline) if is_graph else _exchange_settings(integration, deadline)
    )


def graph_facts(integration: Integration, address: str, *, deadline: float, watch: float = 0) -> Iterator[Fact]:
    """What this product relies on of Graph, asked of the service itself. Raises as `open_source`.

    `deadline`: seconds that a question may take; `watch`: seconds in which somebody may move emails.
    """
    from integrations.graph.probes import probed

    return probed(_graph_settings(integration, deadline), address, watch=watch)


def open_sink(destination: Destination, project: str, name: str, *, deadline: float | None = None) -> Sink:
    """The bucket `project/name` at this destination. Raises `SecretUnreadable`, `TokenElsewhere`, and `SettingsWrong`."""
    from integrations.reinfer.sink import ReinferSink

    return ReinferSink(
        destination.endpoint,
        destination.opened("token"),
        project,
        name,
        deadline=deadline or settings.REINFER_DEADLINE.total_seconds(),
        batch_count=settings.PUSH_COUNT,
        batch_bytes=settings.PUSH_BYTES,
        user_agent=settings.USER_AGENT,
    )


def list_buckets(destination: Destination, *, deadline: float) -> list[tuple[str, str]]:
    """Project and name of each bucket that this token may see. Raises as `open_sink`, and what the network
    brings."""
    from integrations.reinfer.listing import list_buckets

    token = destination.opened("token")
    return list_buckets(destination.endpoint, token, deadline=deadline, user_agent=settings.USER_AGENT)


def _exchange_settings(integration: Integration, deadline: float) -> ConnectionSettings:
    from integrations.ews.connection import ConnectionSettings

    return ConnectionSettings(
        access=integration.access,
        build_version=integration.build_version,
        **_common(integration, deadline),
    )


def _graph_settings(integration: Integration, deadline: float) -> GraphSettings:
    from integrations.graph.connection import GraphSettings

    return GraphSettings(**_common(integration, deadline))


def _common(integration: Integration, deadline: float) -> dict[str, Any]:
    """What connections of either kind are made of."""
    return {
        # What is not saved yet has a connection of its own for each test.
        "key": str(integration.pk or f"unsaved {secrets.token_hex(8)}"),
        "endpoint": integration.endpoint,
        "auth": integration.auth,
        "username": integration.username,
        "password": integration.opened("password"),
        "tenant_id": integration.tenant_id,
        "client_id": integration.client_id,
        "client_secret": integration.opened("client_secret"),
        "client_key": integration.opened("client_key"),
        "client_certificate": integration.client_certificate,
        "client_thumbprint": integration.client_thumbprint,
        "authority": integration.authority,
        "tls_minimum": integration.tls_minimum,
        "tls_ciphers": integration.tls_ciphers,
        "ca_bundle": integration.ca_bundle,
        "proxy": integration.proxy,
        "user_agent": integration.user_agent or settings.USER_AGENT,
        "deadline": deadline,
    }
