"""One mailbox: its paths in Graph, and requests to them over a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from integrations.errors import MailboxNotFound
from integrations.graph.connection import GraphConnection, GraphRequest
from integrations.graph.responses import GraphResponse


@dataclass(frozen=True, slots=True)
class GraphMailbox:
    """One mailbox over one connection.

    Attributes:
        address: Email address of the mailbox.
        connection: Connection that sends the requests.
    """

    address: str
    connection: GraphConnection

    def path(self, *parts: str, **options: str | int) -> str:
        """Return the path and query of a resource in this mailbox.

        Args:
            parts: Path segments below the mailbox.
            options: OData options, named without the dollar sign.

        Returns:
            Path with the API version, and query.
        """
        return f"/v1.0{self.relative(*parts, **options)}"

    def relative(self, *parts: str, **options: str | int) -> str:
        """Return the path and query without the API version, which is the format of a batch part.

        Args:
            parts: Path segments below the mailbox.
            options: OData options, named without the dollar sign.

        Returns:
            Path and query.
        """
        query = urlencode({f"${name}": text for name, text in options.items()}, quote_via=quote, safe="$,()'")
        segments = "/".join(quote(part, safe="$") for part in ("users", self.address, *parts))
        return f"/{segments}" + (f"?{query}" if query else "")

    def check_address(self) -> None:
        """Check that the address can be one segment of a path.

        Raises:
            MailboxNotFound: The address has no `@`, or has a character that changes the path.
        """
        if "@" not in self.address or any(sign in self.address for sign in "/\\?#\r\n"):
            raise MailboxNotFound("the address is not an email address")

    def get(self, path: str, *, page_size: int = 0) -> GraphResponse:
        """Send one GET request.

        Args:
            path: Path and query.
            page_size: Requested number of rows; 0 for Graph's default.

        Returns:
            The response, which may be an error response of Graph.
        """
        return self.connection.ask(GraphRequest(path, page_size))

    def document(self, path: str, *, page_size: int = 0) -> Mapping[str, Any]:
        """Send one GET request and parse its response.

        Args:
            path: Path and query.
            page_size: Requested number of rows; 0 for Graph's default.

        Returns:
            The JSON object of the response.

        Raises:
            IntegrationError: The request fails, or the response is an error or no JSON object.
        """
        return self.get(path, page_size=page_size).document()

    def get_all(self, paths: Sequence[str]) -> Sequence[GraphResponse]:
        """Send several GET requests concurrently.

        Args:
            paths: Paths with queries.

        Returns:
            The responses in the order of the paths.
        """
        return list(self.connection.ask_all([GraphRequest(path) for path in paths]))
