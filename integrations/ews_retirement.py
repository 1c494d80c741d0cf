"""The end of EWS in Exchange Online: the dates, and what an admin can do. The module has no side effects.

From 1 October 2026 on, Microsoft disables EWS tenant by tenant, except for the application ids on the allow list of a
tenant. On 1 April 2027 Microsoft disables EWS for all tenants. Exchange Server, on premises, keeps EWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.clouds import cloud_at

LISTED_ONLY_FROM = datetime(2026, 10, 1, tzinfo=UTC)
ENDS = datetime(2027, 4, 1, tzinfo=UTC)
SOON, VERY_SOON = timedelta(days=90), timedelta(days=30)
"""Times before the end at which the message becomes more urgent."""


@dataclass(frozen=True, slots=True)
class End:
    """The message about the end of EWS at a given time.

    Attributes:
        title: A short title.
        text: What happens when.
        remedy: What an admin should do.
        urgent: Whether EWS has ended or ends within `VERY_SOON`.
        since: The time at which the message became as urgent as it is now; None before `LISTED_ONLY_FROM`.
    """

    title: str
    text: str
    remedy: str
    urgent: bool
    since: datetime | None


def is_concerned(microsoft_api: str, endpoint: str) -> bool:
    """Return whether a connection reads Exchange Online by EWS.

    Args:
        microsoft_api: `Integration.microsoft_api`.
        endpoint: The address of the API.

    Returns:
        True for EWS in a cloud of Microsoft.
    """
    return microsoft_api == "ews" and cloud_at(endpoint) is not None


def end_of_ews(now: datetime, client_id: str = "") -> End:
    """Return the message about the end of EWS.

    Args:
        now: The current time.
        client_id: The application id for the allow list; blank for a placeholder.

    Returns:
        The message.
    """
    remaining = ENDS - now
    if remaining <= timedelta():
        text = "Microsoft ended EWS in Exchange Online on 1 April 2027: no mail can be read by EWS any more."
        return End("EWS ended", text, "Press Switch to Graph: nothing is sent twice, and nothing is lost.", True, ENDS)
    days = max(1, remaining.days)
    text = f"EWS works in Exchange Online until 31 March 2027: {days:,} more {'day' if days == 1 else 'days'}."
    if now < LISTED_ONLY_FROM:
        text += " From 1 October 2026 on, tenant by tenant, only apps on the tenant's allow list may use it."
        return End("EWS ends soon", text, _remedy(client_id), False, None)
    text += " Since 1 October 2026, tenant by tenant, only apps on the tenant's allow list may use it."
    since = max(edge for edge in (LISTED_ONLY_FROM, ENDS - SOON, ENDS - VERY_SOON) if edge <= now)
    title = f"EWS ends in {days} {'day' if days == 1 else 'days'}" if remaining <= SOON else "EWS ends soon"
    return End(title, text, _remedy(client_id), remaining <= VERY_SOON, since)


def allow_list_command(client_id: str) -> str:
    """Return the command with which an Exchange admin allows an application to use EWS until EWS ends.

    Args:
        client_id: The application id; blank for a placeholder.

    Returns:
        One PowerShell command.
    """
    ids = ["the ids that are listed already", client_id or "the application id"]
    return f'Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs "<{ids[0]}>,{ids[1]}"'


def _remedy(client_id: str) -> str:
    return (
        "Press Switch to Graph: nothing is sent twice, and nothing is lost. If you need more time, an Exchange admin runs "
        f"{allow_list_command(client_id)} – the command replaces the whole list, and takes up to a day to take effect."
    )
