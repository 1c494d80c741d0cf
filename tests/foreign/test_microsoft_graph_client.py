"""@microsoft/microsoft-graph-client from npm, used as in its documentation: pages, change tracking and batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import SECRET, Served
from tests.foreign.graph_mailboxes import graph_emails_of, graph_input
from tests.foreign.installing import node_modules_of
from tests.foreign.mailboxes import DESK, NOBODY, folders_of, in_order
from tests.foreign.programs import run_program

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "microsoft_graph_client"


def run_client(served: Served, address: str = DESK, secret: str = SECRET) -> dict[str, Any]:
    environment = {"NODE_PATH": str(node_modules_of(CLIENT)), "NODE_EXTRA_CA_CERTS": str(served.ca_file)}
    return run_program(["node", CLIENT / "client.js"], graph_input(served, address, secret), **environment)


def test_the_client_reads_folders_items_mime_and_attachments(served: Served) -> None:
    read = run_client(served)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == graph_emails_of(mailbox)
    inbox = len(mailbox.folder("Inbox").items)
    assert (read["delta"], read["count"], read["batch"]) == (inbox, inbox, min(inbox, 20))
    assert read["user"] == DESK


def test_a_missing_mailbox_is_reported(served: Served) -> None:
    assert run_client(served, NOBODY) == {"error": "ErrorInvalidUser"}


def test_a_wrong_secret_is_refused(served: Served) -> None:
    assert run_client(served, secret="wrong") == {"error": "invalid_client"}
