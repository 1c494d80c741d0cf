"""Convert the choices of the integration form to values of the row, and back.

The page offers kinds of Exchange, clouds and kinds of sign-in; the row stores an API, an endpoint, an authority and a
kind of sign-in. A configuration document contains the values of the row directly, so they are not converted.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.clouds import CLOUDS, GLOBAL, cloud_at, cloud_named, cloud_of
from integrations.models import Integration

SERVER, GRAPH, ONLINE_EWS = "server", "graph", "online"
KINDS = (
    (GRAPH, "Exchange Online by Microsoft Graph – recommended"),
    (ONLINE_EWS, "Exchange Online by EWS – until 1 April 2027"),
    (SERVER, "Exchange Server, in your own network"),
)
CUSTOM = "custom"
CLOUD_CHOICES = (*((cloud.name, cloud.label) for cloud in CLOUDS), (CUSTOM, "Other addresses"))
ONLINE_AUTH = (
    (Integration.Auth.CERTIFICATE, "App with certificate – recommended"),
    (Integration.Auth.OAUTH2, "App with client secret"),
    (Integration.Auth.SERVICE_USER, "Service user"),
)
"""The kinds of sign-in of Exchange Online, which no longer supports NTLM and Basic."""


def as_values(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the row that follow from the choices.

    Args:
        chosen: The submitted values, by field name.

    Returns:
        Some of `microsoft_api`, `endpoint`, `authority` and `auth`; empty where no kind of Exchange was chosen.
    """
    kind = chosen.get("kind", "")
    if kind == SERVER:
        return {"microsoft_api": Integration.Api.EWS}
    if kind not in (GRAPH, ONLINE_EWS):
        return {}
    values = {"microsoft_api": str(Integration.Api.GRAPH if kind == GRAPH else Integration.Api.EWS)}
    online_auth = chosen.get("online_auth", "")
    if online_auth or chosen.get("auth", "") not in dict(ONLINE_AUTH):
        values["auth"] = online_auth or str(Integration.Auth.OAUTH2)
    cloud = cloud_named(chosen.get("cloud", ""))
    if cloud is None and not chosen.get("endpoint", "").strip():
        cloud = GLOBAL
    if cloud is not None:
        values |= {"endpoint": cloud.graph if kind == GRAPH else cloud.ews, "authority": cloud.authority}
    return values


def as_choices(integration: Integration) -> dict[str, str]:
    """Return the choices that match a row.

    Args:
        integration: The row.

    Returns:
        `kind`, `cloud` and `online_auth`.
    """
    graph = integration.microsoft_api == Integration.Api.GRAPH
    online = graph or cloud_at(integration.endpoint) is not None
    default_cloud = cloud_of(integration.endpoint, integration.authority)
    return {
        "kind": GRAPH if graph else ONLINE_EWS if online else SERVER,
        "cloud": default_cloud.name if default_cloud else CUSTOM if online else GLOBAL.name,
        "online_auth": integration.auth
        if integration.auth in dict(ONLINE_AUTH)
        else str(Integration.Auth.CERTIFICATE if not online else Integration.Auth.OAUTH2),
    }
