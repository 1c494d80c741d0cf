"""Comments to send in the tests of the sink."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from integrations.messages import Comment, CommentId, Message


def comment(name: str = "a", *, body: str = "Please pay the invoice.", **changes: Any) -> Comment:
    """Return a comment whose id is the hex of a Message-ID that contains `name`."""
    values: dict[str, Any] = {
        "id": CommentId(f"<{name}@bank.example>".encode().hex()),
        "timestamp": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        "thread_id": f"<{name}@bank.example>".encode().hex(),
        "message": Message(
            subject="Invoice 4711",
            body=body,
            sender="Ann Archer <ann@bank.example>",
            to=("Bob <bob@client.example>",),
            sent_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        ),
        "properties": {"string:Folder": "Inbox", "number:Size": 2048},
    }
    return Comment(**{**values, **changes})
