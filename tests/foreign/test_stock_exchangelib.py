"""exchangelib from PyPI, in a separate virtual environment, used as in its documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulators.exchange.timezones import ZONES
from tests.foreign.conftest import PASSWORD, Served
from tests.foreign.installing import python_of
from tests.foreign.mailboxes import DESK, NOBODY, emails_of, folders_of, in_order
from tests.foreign.programs import run_program

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "stock_exchangelib"


def run_client(served: Served, address: str = DESK, password: str = PASSWORD) -> dict[str, Any]:
    given = {"url": served.exchange.url(), "username": "BANK\\svc", "password": password, "address": address}
    return run_program([python_of(CLIENT), CLIENT / "client.py"], given, REQUESTS_CA_BUNDLE=str(served.ca_file))


@pytest.fixture(scope="module")
def read(served: Served) -> dict[str, Any]:
    return run_client(served)


def test_the_client_reads_folders_items_mime_and_attachments(served: Served, read: dict[str, Any]) -> None:
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == emails_of(mailbox)


def test_the_client_searches_sorts_and_counts(served: Served, read: dict[str, Any]) -> None:
    inbox = list(served.store[DESK].folder("Inbox").items.values())
    trades = [item for item in inbox if "trade" in item.mail.subject.casefold()]
    newest = sorted(trades, key=lambda item: item.received, reverse=True)
    assert read["trades"] == [item.mail.subject for item in newest]
    assert len(read["trades"]) > 1
    assert read["unread"] == sum(not item.read for item in inbox) > 0


def test_the_client_reads_time_zones_and_resolves_names(read: dict[str, Any]) -> None:
    assert read["zones"] == sorted(ZONES)
    assert read["resolved"] == [DESK]


def test_operations_that_write_are_refused(read: dict[str, Any]) -> None:
    assert read["refused"] == dict.fromkeys(("save", "delete", "create", "move"), "ErrorAccessDenied")


def test_a_missing_mailbox_is_reported(served: Served) -> None:
    assert run_client(served, NOBODY) == {"error": "ErrorNonExistentMailbox"}


def test_a_wrong_password_is_refused(served: Served) -> None:
    assert run_client(served, password="wrong") == {"error": "UnauthorizedError"}
