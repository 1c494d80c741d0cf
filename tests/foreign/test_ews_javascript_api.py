"""ews-javascript-api from npm, a port of Microsoft's client, with Basic, and with NTLM through @ewsjs/xhr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import PASSWORD, Served
from tests.foreign.installing import node_modules_of
from tests.foreign.mailboxes import DESK, NOBODY, emails_of, folders_of, in_order
from tests.foreign.programs import run_program

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "ews_javascript_api"
NTLM = pytest.mark.parametrize("ntlm", [False, True], ids=["Basic", "NTLM"])


def run_client(served: Served, address: str = DESK, password: str = PASSWORD, *, ntlm: bool = False) -> dict[str, Any]:
    given = {"url": served.exchange.url(), "username": "BANK\\svc", "password": password, "address": address}
    environment = {"NODE_PATH": str(node_modules_of(CLIENT)), "NODE_EXTRA_CA_CERTS": str(served.ca_file)}
    return run_program(["node", CLIENT / "client.js"], given | {"ntlm": ntlm}, **environment)


@NTLM
def test_the_client_reads_folders_items_mime_and_attachments(served: Served, ntlm: bool) -> None:
    read = run_client(served, ntlm=ntlm)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == emails_of(mailbox)
    assert read["unread"] == sum(not item.read for item in mailbox.folder("Inbox").items.values())


def test_a_missing_mailbox_is_reported(served: Served) -> None:
    assert run_client(served, NOBODY) == {"error": "ErrorNonExistentMailbox"}


@NTLM
def test_a_wrong_password_is_refused(served: Served, ntlm: bool) -> None:
    assert run_client(served, password="wrong", ntlm=ntlm) == {"error": "HTTP 401"}
