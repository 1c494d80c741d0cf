"""O365 from PyPI, in an environment of its own, used as its README shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import SECRET, Served
from tests.foreign.graph_mailboxes import given_to, graph_emails_of
from tests.foreign.installing import python_of
from tests.foreign.mailboxes import DESK, NOBODY, folders_of, in_order
from tests.foreign.programs import told_by

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "o365"


def told(served: Served, address: str = DESK, secret: str = SECRET) -> dict[str, Any]:
    program = [python_of(CLIENT), CLIENT / "client.py"]
    return told_by(program, given_to(served, address, secret), REQUESTS_CA_BUNDLE=str(served.ca_file))


def test_it_reads_folders_items_mime_and_attachments(served: Served) -> None:
    read = told(served)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == graph_emails_of(mailbox)
    assert (read["inbox"], read["by_name"], read["user"]) == ("Trades", True, DESK)


def test_it_is_told_that_there_is_no_such_mailbox(served: Served) -> None:
    assert told(served, NOBODY) == {"error": "ErrorInvalidUser"}


def test_a_wrong_secret_is_refused(served: Served) -> None:
    assert told(served, secret="wrong") == {"error": "not signed in"}
