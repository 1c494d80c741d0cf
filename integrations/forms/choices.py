"""What the choices of the form of an integration mean, as values of the row.

The page asks which Exchange it is and how to sign in there; the row keeps an API, an endpoint, an authority and a kind of
sign-in. A document names these themselves and makes no choice: then nothing is changed here.
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
"""How one signs in at Exchange Online: it knows no other way any more."""


def as_values(chosen: Mapping[str, str]) -> dict[str, str]:
    """`microsoft_api`, `endpoint`, `authority` and `auth`, as far as the choices settle them."""
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
    """What somebody would have chosen to get this row."""
    graph = integration.microsoft_api == Integration.Api.GRAPH
    online = graph or cloud_at(integration.endpoint) is not None
    usual = cloud_of(integration.endpoint, integration.authority)
    return {
        "kind": GRAPH if graph else ONLINE_EWS if online else SERVER,
        "cloud": usual.name if usual else CUSTOM if online else GLOBAL.name,
        "online_auth": integration.auth
        if integration.auth in dict(ONLINE_AUTH)
        else str(Integration.Auth.CERTIFICATE if not online else Integration.Auth.OAUTH2),
    }
