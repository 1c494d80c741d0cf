"""A running Re:infer simulator and a client with its token."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator

SOURCE = "/api/v1/sources/bank/desk"


@pytest.fixture
def reinfer() -> Iterator[ReinferSimulator]:
    with ReinferSimulator(sources=[("bank", "desk")], projects=["empty"]) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    """A function that makes clients of a simulator, with the default token or another token."""
    with ExitStack() as stack:

        def made(simulator: ReinferSimulator, token: str = DEFAULT_TOKEN) -> httpx.Client:
            headers = {"Authorization": f"Bearer {token}"}
            # The simulator uses plain HTTP. `verify=False` saves the time to load the certificates of the machine.
            return stack.enter_context(
                httpx.Client(base_url=simulator.url, headers=headers, timeout=5, trust_env=False, verify=False)
            )

        yield made


@pytest.fixture
def client(reinfer: ReinferSimulator, connect: Callable[..., httpx.Client]) -> httpx.Client:
    return connect(reinfer)


@pytest.fixture
def sync(client: httpx.Client) -> Callable[..., httpx.Response]:
    def post(*comments: dict[str, Any]) -> httpx.Response:
        return client.post(f"{SOURCE}/sync", json={"comments": list(comments)})

    return post


@pytest.fixture
def comment() -> dict[str, Any]:
    return {
        "id": "3c6130314066782e6578616d706c653e",
        "timestamp": "2026-03-02T08:15:30+00:00",
        "thread_id": "7f3a90",
        "messages": [
            {
                "from": "Ann Field <ann@north.example>",
                "to": ["desk@bank.example"],
                "sent_at": "2026-03-02T08:15:30+00:00",
                "subject": {"text": "Trade 4411 unmatched"},
                "body": {"text": "Could you look at trade 4411, please?"},
                "signature": {"text": "Ann Field\nNorth Ltd"},
            }
        ],
        "user_properties": {"string:Folder": "Inbox/Trades", "number:Attachments": 1},
        "attachments": [{"name": "4411.pdf", "size": 20480, "content_type": "application/pdf"}],
    }
