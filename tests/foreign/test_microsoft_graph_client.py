"""@microsoft/microsoft-graph-client from npm, used as its documentation shows it: pages, change tracking, batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import SECRET, Served
from tests.foreign.graph_mailboxes import given_to, graph_emails_of
from tests.foreign.installing import node_modules_of
from tests.foreign.mailboxes import DESK, NOBODY, folders_of, in_order
from tests.foreign.programs import told_by

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "microsoft_graph_client"


def told(served: Served, address: str = DESK, secret: str = SECRET) -> dict[str, Any]:
    environment = {"NODE_PATH": str(node_modules_of(CLIENT)), "NODE_EXTRA_CA_CERTS": str(served.ca_file)}
    return told_by(["node", CLIENT / "client.js"], given_to(served, address, secret), **environment)


def test_it_reads_folders_items_mime_and_attachments(served: Served) -> None:
    read = told(served)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == graph_emails_of(mailbox)
    inbox = len(mailbox.folder("Inbox").items)
    assert (read["delta"], read["count"], read["batch"]) == (inbox, inbox, min(inbox, 20))
    assert read["user"] == DESK


def test_it_is_told_that_there_is_no_such_mailbox(served: Served) -> None:
    assert told(served, NOBODY) == {"error": "ErrorInvalidUser"}


def test_a_wrong_secret_is_refused(served: Served) -> None:
    assert told(served, secret="wrong") == {"error": "invalid_client"}
