"""One mailbox as Graph addresses it, over a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from integrations.errors import MailboxNotFound
from integrations.graph.connection import GraphConnection, GraphRequest
from integrations.graph.refusals import GraphAnswer


@dataclass(frozen=True, slots=True)
class GraphMailbox:
    address: str
    connection: GraphConnection

    def path(self, *parts: str, **options: str | int) -> str:
        """Path and query of something in this mailbox; an option is named without its dollar."""
        return f"/v1.0{self.relative(*parts, **options)}"

    def relative(self, *parts: str, **options: str | int) -> str:
        """The same below the version, as a batch wants it."""
        query = urlencode({f"${name}": text for name, text in options.items()}, quote_via=quote, safe="$,()'")
        segments = "/".join(quote(part, safe="$") for part in ("users", self.address, *parts))
        return f"/{segments}" + (f"?{query}" if query else "")

    def check_address(self) -> None:
        """Raises `MailboxNotFound` for what can name no mailbox, and would name something else in a path."""
        if "@" not in self.address or any(sign in self.address for sign in "/\\?#\r\n"):
            raise MailboxNotFound("the address is none")

    def ask(self, path: str, *, page_size: int = 0) -> GraphAnswer:
        return self.connection.ask(GraphRequest(path, page_size))

    def document(self, path: str, *, page_size: int = 0) -> Mapping[str, Any]:
        return self.ask(path, page_size=page_size).document()

    def ask_all(self, paths: Sequence[str]) -> Sequence[GraphAnswer]:
        return list(self.connection.ask_all([GraphRequest(path) for path in paths]))
