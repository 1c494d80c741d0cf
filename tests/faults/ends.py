"""The simulated EWS server and the simulated Microsoft Graph server, with the faults that each can have.

A random simulation (`tests.faults.seed.Seed`) reads mail from one of the two servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from integrations.ews.connection import close_all as close_ews
from integrations.graph.connection import close_all as close_graph
from simulators.exchange import Account, ExchangeSimulator, Store
from simulators.faults import Faults
from simulators.graph import GraphSimulator, Registration
from simulators.graph.removals import Removals
from tests.faults.exchange_kinds import ExchangeKind

SECRET = "secret"
Effects = tuple[tuple[str, Mapping[str, Any]], ...]

TRANSPORT: Effects = (
    ("status", {"status": 500}),
    ("status", {"status": 502}),
    ("unauthorized", {}),
    ("drop", {"bytes": 0}),
    ("drop", {"bytes": 300}),
    ("truncate", {"bytes": 400}),
    ("hang", {"seconds": 30}),
    ("drip", {"rate": 20}),
)
"""Faults that any server can have."""


class Server(Protocol):
    """The attributes that both simulators have."""

    store: Store
    faults: Faults

    @property
    def requests(self) -> list[Any]: ...


class End(Protocol):
    @property
    def server(self) -> Server: ...

    @property
    def secret_field(self) -> str:
        """Name of the field of the integration that contains the secret, which an admin can mistype."""

    @property
    def reads(self) -> tuple[str, ...]: ...

    @property
    def effects(self) -> Effects: ...

    @property
    def refusals(self) -> Effects:
        """Faults with which the server can refuse one mailbox until the faults are removed."""

    @property
    def item_codes(self) -> tuple[str, ...]: ...

    def live(self, number: int) -> str:
        """Configure the server for a seed: the kind of Exchange, or how Graph reports moves.

        The server must have the store of the simulation before this call. The random numbers of the simulation are not used,
        so the rest of the simulation stays the same.

        Returns:
            A description of the server, for the log.
        """

    @property
    def lists(self) -> tuple[str, ...]:
        """Beginnings of the folder classes that the server lists."""

    def row(self) -> dict[str, Any]:
        """Return the field values of an integration that reads from this server."""

    def spoil(self, message_id: str, code: str) -> None:
        """Make the server fail for one email, with one of `item_codes`."""

    def hand_out(self, message_id: str, kind: str, times: int | None) -> None:
        """Make the server return another body instead of an email, `times` times or always (None).

        `simulators.pages` has the kinds, such as the error page of a gateway or a truncated email.
        """

    def close(self) -> None:
        """Close all connections of the product over this API."""


class EwsEnd:
    lists = ("",)
    secret_field = "password"
    reads = ("SyncFolderHierarchy", "SyncFolderItems", "GetItem", "GetFolder")
    effects: Effects = (
        *TRANSPORT,
        ("busy", {"how": "fault", "back_off": 5_000}),
        ("busy", {"how": "fault", "back_off": 60_000, "hint_first": False}),
        ("busy", {"how": "fault", "back_off": -1}),
        ("busy", {"how": "503"}),
        ("busy", {"how": "nested", "back_off": 20_000}),
        ("disabled", {}),
        ("fault", {"code": "ErrorMailboxMoveInProgress"}),
        ("fault", {"code": "ErrorMailboxStoreUnavailable"}),
        ("fault", {"code": "ErrorInternalServerError"}),
        ("fault", {"code": "ErrorAccessDenied"}),
    )
    refusals: Effects = (
        ("disabled", {}),
        ("unauthorized", {}),
        ("fault", {"code": "ErrorInvalidServerVersion"}),
        ("fault", {"code": "ErrorInvalidSchemaVersionForMailboxVersion"}),
        ("fault", {"code": "ErrorInvalidRequest"}),
        ("fault", {"code": "ErrorNonPrimarySmtpAddress"}),
        ("fault", {"code": "ErrorThatNoLibraryKnows"}),
        ("status", {"status": 400}),
        ("status", {"status": 200, "body": "<html><form>Sign in</form></html>"}),
        ("unauthorized", {"offers": ("Negotiate",)}),
    )
    item_codes = (
        "ErrorMimeContentConversionFailed",
        "ErrorItemCorrupt",
        "ErrorAccessDenied",
        "ErrorItemNotFound",
        "ErrorInternalServerError",
        "ErrorMessageSizeExceeded",
        "ErrorInvalidIdMalformed",
    )

    def __init__(self, server: ExchangeSimulator) -> None:
        self.server = server
        self._auth = "basic"

    def live(self, number: int) -> str:
        kind = ExchangeKind.drawn(number)
        kind.apply(self.server)
        self._auth = kind.auth
        return str(kind)

    def row(self) -> dict[str, Any]:
        return {
            "endpoint": self.server.url(), "auth": self._auth, "username": "BANK\\svc", "password": SECRET,
            "ca_bundle": self.server.ca, "build_version": "15.1.2507.39",
        }  # fmt: skip

    def spoil(self, message_id: str, code: str) -> None:
        self.server.faults.add("item", message_id=message_id, code=code)

    def hand_out(self, message_id: str, kind: str, times: int | None) -> None:
        self.server.faults.add("item", message_id=message_id, code=kind, times=times)

    def close(self) -> None:
        close_ews()


class GraphEnd:
    lists = ("IPF.Note",)
    secret_field = "client_secret"
    reads = ("folders-delta", "messages-delta", "mime", "message", "folder", "batch", "token")
    effects: Effects = (
        *TRANSPORT,
        ("throttled", {"retry_after": 5}),
        ("throttled", {}),
        ("throttled", {"retry_after": 60, "code": "TooManyRequests"}),
        ("error", {"code": "ErrorServerBusy", "retry_after": 20}),
        ("status", {"status": 503}),
        ("error", {"code": "ErrorMailboxMoveInProgress"}),
        ("error", {"code": "ErrorMailboxStoreUnavailable"}),
        ("error", {"code": "ErrorInternalServerError"}),
        ("error", {"code": "UnknownError"}),
        ("error", {"code": "ErrorAccessDenied"}),
        ("error", {"code": "resyncRequired"}),
        ("error", {"code": "syncStateNotFound"}),
        ("error", {"code": "MailboxNotEnabledForRESTAPI"}),
    )
    refusals: Effects = (
        ("unauthorized", {}),
        ("error", {"code": "Authorization_RequestDenied"}),
        ("error", {"code": "ErrorInvalidRequest"}),
        ("error", {"code": "MailboxNotEnabledForRESTAPI"}),
        ("error", {"code": "ErrorThatNoDocumentNames", "status": 400}),
        ("status", {"status": 400}),
        ("status", {"status": 403}),
    )
    item_codes = (
        "ErrorMimeContentConversionFailed",
        "ErrorItemCorrupt",
        "ErrorInternalServerError",
        "ErrorItemNotFound",
        "UnknownError",
        "untold",
        "untold for a while",
    )

    def __init__(self, server: GraphSimulator) -> None:
        self.server = server

    def row(self) -> dict[str, Any]:
        return {
            "microsoft_api": "graph", "endpoint": self.server.url, "authority": self.server.authority_url, "auth": "oauth2",
            "tenant_id": "tenant", "client_id": "client", "client_secret": SECRET, "ca_bundle": self.server.ca,
        }  # fmt: skip

    def live(self, number: int) -> str:
        # Every third number has a slow server (`tests.faults.pace`). The behaviour changes only every three numbers, so each
        # behaviour is also tested with a slow server.
        self.server.removals = list(Removals)[number // 3 % len(Removals)]
        return f"removals: {self.server.removals}"

    def spoil(self, message_id: str, code: str) -> None:
        if code == "untold":
            self.server.faults.add("corrupt", message_id=message_id)
        elif code == "untold for a while":
            self.server.faults.add("corrupt", message_id=message_id, operation="messages-delta", status=504, times=6)
        else:
            status = {"ErrorItemNotFound": 404, "UnknownError": 504}.get(code, 500)
            self.server.faults.add("corrupt", message_id=message_id, operation="mime", code=code, status=status)

    def hand_out(self, message_id: str, kind: str, times: int | None) -> None:
        self.server.faults.add("page", message_id=message_id, kind=kind, times=times)

    def close(self) -> None:
        close_graph()


@contextmanager
def serving(name: str) -> Iterator[End]:
    """Start the simulated server with this name: `ews` or `graph`."""
    if name == "graph":
        with GraphSimulator(registrations=[Registration("tenant", "client", SECRET)]) as graph:
            yield GraphEnd(graph)
    else:
        with ExchangeSimulator(accounts=[Account("BANK\\svc", SECRET)]) as exchange:
            yield EwsEnd(exchange)
