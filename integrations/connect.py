"""Create a source or a sink from an `Integration` or a `Destination`. In the product, only this module does so.

Of the adapters, other modules import only `integrations.reinfer.names` and `integrations.reinfer.payload`, which send no
request. Each other part of an adapter is imported when it is first needed: its library takes a second to load, and most
pages and commands do not need it.
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
    """Return a source of one mailbox. No request is sent yet.

    Args:
        integration: The integration through which the mailbox is read.
        address: The primary SMTP address of the mailbox.
        deadline: Seconds that one request (EWS) or one call of the source (Graph) may take; None for the setting
            `EXCHANGE_DEADLINE`.
        fresh: True to sign in again, without an open connection or a stored token.

    Returns:
        The source.

    Raises:
        SecretUnreadable: A secret cannot be decrypted.
        SecretElsewhere: A secret was entered for another place.
        ImproperlyConfigured: This process has no usable key.
        SettingsWrong: A setting of the integration is invalid.
    """
    deadline = deadline or settings.EXCHANGE_DEADLINE.total_seconds()
    if integration.microsoft_api == Integration.Api.GRAPH:
        from integrations.graph.source import GraphSource

        return GraphSource(_graph_settings(integration, deadline), address, page_size=settings.PAGE_SIZE, fresh=fresh)
    from integrations.ews.source import ExchangeSource

    return ExchangeSource(_exchange_settings(integration, deadline), address, page_size=settings.PAGE_SIZE, fresh=fresh)


def open_secrets(*rows: Integration | Destination) -> None:
    """Check that this process can decrypt every secret of the given rows. The decrypted values are discarded.

    Args:
        rows: Integrations and destinations.

    Raises:
        SecretUnreadable: A secret cannot be decrypted, or this process has no usable key.
    """
    try:
        for row in rows:
            for secret in _secrets(row):
                secret.reveal()
    except ImproperlyConfigured as error:
        raise SecretUnreadable("this process has no usable key") from error


def has_secrets(row: Integration | Destination) -> bool:
    """Return whether a row has at least one stored secret."""
    return any(_secrets(row))


def _secrets(row: Integration | Destination) -> list[Secret]:
    return [getattr(row, field.attname) for field in row._meta.concrete_fields if isinstance(field, EncryptedField)]


def network_steps(integration: Integration, *, deadline: float) -> Iterator[DiagnosisStep]:
    """Test the network to Exchange: name, port, TLS.

    Args:
        integration: The integration to test.
        deadline: Time-out of each socket operation in seconds. It does not limit the lookup of the name.

    Returns:
        The steps, up to the first that fails.

    Raises:
        SecretUnreadable: A secret cannot be decrypted.
        SecretElsewhere: A secret was entered for another place.
        ImproperlyConfigured: This process has no usable key.
    """
    from integrations.network.steps import network_steps

    is_graph = integration.microsoft_api == Integration.Api.GRAPH
    return network_steps(
        _graph_settings(integration, deadline) if is_graph else _exchange_settings(integration, deadline)
    )


def graph_facts(integration: Integration, address: str, *, deadline: float, wait_seconds: float = 0) -> Iterator[Fact]:
    """Verify the assumptions of this product about Graph against the real service.

    Args:
        integration: An integration over Graph.
        address: The mailbox to read.
        deadline: Seconds for all requests of one check. In a check of moved emails: seconds for all requests about one folder.
        wait_seconds: Seconds to wait for emails that a person moves by hand.

    Returns:
        The assumptions, each with the result of its verification.

    Raises:
        SecretUnreadable, SecretElsewhere, ImproperlyConfigured, SettingsWrong: As in `open_source`.
    """
    from integrations.graph.service_checks import checked_facts

    return checked_facts(_graph_settings(integration, deadline), address, wait_seconds=wait_seconds)


def open_sink(destination: Destination, project: str, name: str, *, deadline: float | None = None) -> Sink:
    """Return a sink of one bucket. No request is sent yet.

    Args:
        destination: The destination of the bucket.
        project: The project of the bucket.
        name: The name of the bucket.
        deadline: Seconds that one call of the sink may take (`stored`: each part of 128 ids); None for the setting
            `REINFER_DEADLINE`.

    Returns:
        The sink.

    Raises:
        SecretUnreadable: The token cannot be decrypted.
        TokenElsewhere: The token was entered for another endpoint.
        ImproperlyConfigured: This process has no usable key.
        ReinferTokenRefused: The token is empty, or cannot be part of a header.
        SettingsWrong: The endpoint, the project or the name of the bucket is invalid.
    """
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
    """Return the buckets that the token of a destination may read.

    Args:
        destination: The destination.
        deadline: Seconds that the call may take.

    Returns:
        Project and name of each bucket.

    Raises:
        IntegrationError: An error of `open_sink`, or of the request.
    """
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
    """Return the arguments that the settings of EWS and Graph have in common."""
    return {
        # Each test of an unsaved integration uses a new connection.
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
