"""The clouds of Microsoft 365: where each signs in, and where its Graph and its EWS are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cloud:
    name: str
    label: str
    authority: str
    graph: str
    ews_host: str

    @property
    def ews(self) -> str:
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
"""Other names under which an EWS of Exchange Online answers."""


def cloud_named(name: str) -> Cloud | None:
    return next((cloud for cloud in CLOUDS if cloud.name == name), None)


def cloud_at(endpoint: str) -> Cloud | None:
    """The cloud to which an endpoint belongs, of EWS or Graph; None for a server of one's own."""
    host = _host(endpoint)
    known = {cloud.ews_host: cloud for cloud in CLOUDS} | {_host(cloud.graph): cloud for cloud in CLOUDS} | OTHER_HOSTS
    return known.get(host)


def cloud_of(endpoint: str, authority: str) -> Cloud | None:
    """The cloud whose usual addresses these are, and nothing else."""
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
