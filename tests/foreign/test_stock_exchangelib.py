"""exchangelib from PyPI, in an environment of its own, used as its documentation shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import PASSWORD, Served
from tests.foreign.installing import python_of
from tests.foreign.mailboxes import DESK, NOBODY, emails_of, folders_of, in_order
from tests.foreign.programs import told_by

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "stock_exchangelib"


def told(served: Served, address: str = DESK, password: str = PASSWORD) -> dict[str, Any]:
    given = {"url": served.exchange.url(), "username": "BANK\\svc", "password": password, "address": address}
    return told_by([python_of(CLIENT), CLIENT / "client.py"], given, REQUESTS_CA_BUNDLE=str(served.ca_file))


def test_it_reads_folders_items_mime_and_attachments(served: Served) -> None:
    read = told(served)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == emails_of(mailbox)


def test_it_is_told_that_there_is_no_such_mailbox(served: Served) -> None:
    assert told(served, NOBODY) == {"error": "ErrorNonExistentMailbox"}


def test_a_wrong_password_is_refused(served: Served) -> None:
    assert told(served, password="wrong") == {"error": "UnauthorizedError"}
