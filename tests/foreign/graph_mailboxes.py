"""The input of clients of Graph, and the results that are expected from them."""

from __future__ import annotations

import base64
from typing import Any

from simulators.exchange.store import Mailbox
from simulators.graph.mime import rendered
from tests.foreign.conftest import SECRET, Served
from tests.foreign.mailboxes import emails_of, in_order


def graph_emails_of(mailbox: Mailbox) -> list[dict[str, Any]]:
    """Return all emails, with MIME as Graph returns it: the same content as in EWS, but other bytes."""
    emails = emails_of(mailbox)
    for email in emails:
        email["mime"] = base64.b64encode(rendered(base64.b64decode(email["mime"]))).decode()
    return in_order(emails)


def graph_input(served: Served, address: str, secret: str = SECRET) -> dict[str, Any]:
    """Return the input of a client of Graph: addresses and credentials."""
    return {
        "url": served.graph.url,
        "authority": served.graph.authority_url,
        "tenant": served.registration.tenant,
        "client_id": served.registration.client_id,
        "secret": secret,
        "address": address,
    }
