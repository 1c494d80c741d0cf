"""O365 from PyPI, in a separate virtual environment, used as in its README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import SECRET, Served
from tests.foreign.graph_mailboxes import graph_emails_of, graph_input
from tests.foreign.installing import python_of
from tests.foreign.mailboxes import DESK, NOBODY, folders_of, in_order
from tests.foreign.programs import run_program

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "o365"


def run_client(served: Served, address: str = DESK, secret: str = SECRET) -> dict[str, Any]:
    program = [python_of(CLIENT), CLIENT / "client.py"]
    return run_program(program, graph_input(served, address, secret), REQUESTS_CA_BUNDLE=str(served.ca_file))


def test_the_client_reads_folders_items_mime_and_attachments(served: Served) -> None:
    read = run_client(served)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == graph_emails_of(mailbox)
    assert (read["inbox"], read["by_name"], read["user"]) == ("Trades", True, DESK)


def test_a_missing_mailbox_is_reported(served: Served) -> None:
    assert run_client(served, NOBODY) == {"error": "ErrorInvalidUser"}


def test_a_wrong_secret_is_refused(served: Served) -> None:
    assert run_client(served, secret="wrong") == {"error": "not signed in"}
