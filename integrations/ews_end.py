"""The end of EWS in Exchange Online: since when and until when it works there, and what an admin can do. Pure.

Microsoft switches EWS off tenant by tenant from 1 October 2026 on, but for the application ids on a tenant's allow list,
and for everybody on 1 April 2027. Exchange Server, on premises, keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.clouds import cloud_at

LISTED_ONLY_FROM = datetime(2026, 10, 1, tzinfo=UTC)
ENDS = datetime(2027, 4, 1, tzinfo=UTC)
SOON, VERY_SOON = timedelta(days=90), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class End:
    """What to tell of it, now."""

    title: str
    text: str
    remedy: str
    urgent: bool
    since: datetime | None
    """Since when it is as pressing as it is now."""


def is_concerned(microsoft_api: str, endpoint: str) -> bool:
    """Whether a connection reads Exchange Online by EWS."""
    return microsoft_api == "ews" and cloud_at(endpoint) is not None


def end_of_ews(now: datetime, client_id: str = "") -> End:
    """`client_id`: the application that would have to stand on the allow list."""
    left = ENDS - now
    if left <= timedelta():
        text = "Microsoft ended EWS in Exchange Online on 1 April 2027: by EWS, no mail comes in any more."
        return End("EWS ended", text, "Press Switch to Graph: nothing is sent twice, and nothing is lost.", True, ENDS)
    days = max(1, left.days)
    text = f"EWS works in Exchange Online until 31 March 2027: {days:,} more {'day' if days == 1 else 'days'}."
    if now < LISTED_ONLY_FROM:
        text += " From 1 October 2026 on, tenant by tenant, only apps on the tenant's allow list may use it."
        return End("EWS ends soon", text, _remedy(client_id), False, None)
    text += " Since 1 October 2026, tenant by tenant, only apps on the tenant's allow list may use it."
    since = max(edge for edge in (LISTED_ONLY_FROM, ENDS - SOON, ENDS - VERY_SOON) if edge <= now)
    title = f"EWS ends in {days} {'day' if days == 1 else 'days'}" if left <= SOON else "EWS ends soon"
    return End(title, text, _remedy(client_id), left <= VERY_SOON, since)


def allow_list_command(client_id: str) -> str:
    """What an Exchange admin runs, so that this application may use EWS for the time that is left."""
    ids = ["the ids that are listed already", client_id or "the application id"]
    return f'Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs "<{ids[0]}>,{ids[1]}"'


def _remedy(client_id: str) -> str:
    return (
        "Press Switch to Graph: nothing is sent twice, and nothing is lost. Who needs time has an Exchange admin run "
        f"{allow_list_command(client_id)} – it replaces the whole list, and takes up to a day."
    )
