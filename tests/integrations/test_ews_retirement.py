"""The message about the end of EWS in Exchange Online: its text, its dates and the integrations that it concerns."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.ews_retirement import end_of_ews, is_concerned


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("api", "endpoint", "concerned"),
    [
        ("ews", "https://outlook.office365.com/EWS/Exchange.asmx", True),
        ("ews", "https://OUTLOOK.office365.com/EWS/Exchange.asmx", True),
        ("ews", "https://outlook.office365.us/EWS/Exchange.asmx", True),
        ("ews", "https://mail.bank.example/EWS/Exchange.asmx", False),
        ("ews", "https://outlook.office365.com.bank.example/EWS/Exchange.asmx", False),
        ("graph", "https://graph.microsoft.com", False),
    ],
)
def test_only_ews_in_exchange_online_ends(api, endpoint, concerned):
    assert is_concerned(api, endpoint) is concerned


@pytest.mark.parametrize(
    ("now", "title", "urgent", "since"),
    [
        (at(2026, 9, 1), "EWS ends soon", False, None),
        (at(2026, 11, 25), "EWS ends soon", False, at(2026, 10, 1)),
        (at(2027, 1, 5), "EWS ends in 86 days", False, at(2027, 1, 1)),
        (at(2027, 3, 10), "EWS ends in 22 days", True, at(2027, 3, 2)),
        (at(2027, 3, 31, 12), "EWS ends in 1 day", True, at(2027, 3, 2)),
        (at(2027, 4, 1), "EWS ended", True, at(2027, 4, 1)),
    ],
)
def test_the_message_becomes_urgent_near_the_date(now, title, urgent, since):
    end = end_of_ews(now, "app-1")
    assert (end.title, end.urgent, end.since) == (title, urgent, since)
    assert "Switch to Graph" in end.remedy


def test_the_command_for_the_allow_list_names_the_application():
    end = end_of_ews(at(2026, 11, 25), "1234-app")
    assert "Since 1 October 2026" in end.text
    assert "127 more days" in end.text
    assert (
        'Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs "<the ids that are listed already>,1234-app"'
        in end.remedy
    )


def test_the_remedy_does_not_name_the_allow_list_after_the_end():
    assert "AllowedAppIDs" not in end_of_ews(at(2027, 4, 2), "app").remedy
