"""The clouds of Microsoft 365, each with the addresses of its sign-in service, of Graph and of EWS.

Source of the sign-in services and of Graph: https://learn.microsoft.com/en-us/graph/deployments.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud of Microsoft 365.

    Attributes:
        name: A stable name.
        label: The name for users.
        authority: The address of the sign-in service.
        graph: The address of Microsoft Graph.
        ews_host: The host name of EWS.
    """

    name: str
    label: str
    authority: str
    graph: str
    ews_host: str

    @property
    def ews(self) -> str:
        """Return the address of EWS."""
        return f"https://{self.ews_host}/EWS/Exchange.asmx"


CLOUDS = (
    Cloud(
        "global",
        "Worldwide",
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "outlook.office365.com",
    ),
    Cloud(
        "us_gov",
        "US Government L4 (GCC High)",
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        "outlook.office365.us",
    ),
    Cloud(
        "us_dod",
        "US Government L5 (DoD)",
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        "webmail.apps.mil",
    ),
    Cloud(
        "china",
        "China, operated by 21Vianet",
        "https://login.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "partner.outlook.cn",
    ),
)
GLOBAL = CLOUDS[0]
OTHER_HOSTS = {"outlook.office.com": GLOBAL, "outlook-dod.office365.us": CLOUDS[2]}
"""Other host names of EWS in Exchange Online."""


def cloud_named(name: str) -> Cloud | None:
    """Return the cloud with a stable name.

    Args:
        name: `Cloud.name`.

    Returns:
        The cloud; None where the name is unknown.
    """
    return next((cloud for cloud in CLOUDS if cloud.name == name), None)


def cloud_at(endpoint: str) -> Cloud | None:
    """Return the cloud to which an endpoint belongs.

    Args:
        endpoint: An address of EWS or Graph.

    Returns:
        The cloud; None for an address that is not of a cloud in `CLOUDS`.
    """
    host = _host(endpoint)
    known = {cloud.ews_host: cloud for cloud in CLOUDS} | {_host(cloud.graph): cloud for cloud in CLOUDS} | OTHER_HOSTS
    return known.get(host)


def cloud_of(endpoint: str, authority: str) -> Cloud | None:
    """Return the cloud whose default addresses an integration uses.

    Args:
        endpoint: The address of EWS or Graph.
        authority: The address of the sign-in service.

    Returns:
        The cloud; None where the two addresses are not the default addresses of one cloud.
    """
    return next(
        (
            cloud
            for cloud in CLOUDS
            if authority.rstrip("/") == cloud.authority and endpoint.rstrip("/") in (cloud.graph, cloud.ews)
        ),
        None,
    )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
