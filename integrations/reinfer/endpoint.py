"""The API endpoint of a Re:infer tenant, and the URLs below it. No I/O.

An endpoint may have a path prefix (`https://cloud.uipath.com/organisation/tenant/reinfer_`). So a URL is built by
appending segments to the endpoint, never by resolving a path from the root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, quote, urlsplit

from integrations.errors import ReinferEndpointWrong


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A valid API endpoint.

    Attributes:
        base: URL without a trailing slash.
    """

    base: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the endpoint that an admin entered.

        Args:
            text: URL as entered.

        Returns:
            The endpoint.

        Raises:
            ReinferEndpointWrong: The URL cannot be an API endpoint; the detail is the reason.
        """
        problem = problem_with_endpoint(text)
        if problem:
            raise ReinferEndpointWrong(problem)
        return cls(urlsplit(text.strip()).geturl().rstrip("/"))

    def url(self, *segments: str) -> str:
        """Return a URL below the endpoint.

        Args:
            segments: Path segments, with any characters: each one is quoted.

        Returns:
            Absolute URL.
        """
        return "/".join([self.base, *(quote(segment, safe="") for segment in segments)])


def problem_with_endpoint(text: str) -> str | None:
    """Return why a URL cannot be an API endpoint.

    Args:
        text: URL as entered.

    Returns:
        A sentence for an admin, which never quotes a password in the URL. None where the URL is valid.
    """
    text = text.strip()
    if not text.isascii() or not text.isprintable() or {" ", "\\"} & set(text):
        return "The URL must only contain ASCII characters, and no white space, backslashes or control characters."
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "This is not a valid URL, or its port is not a number up to 65535."
    if not usable:
        return "The URL must begin with https:// (or http://) and name a host. The port 0 is not allowed."
    return _problem_with_authority(parts) or _problem_with_path(parts.path)


def _problem_with_authority(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "The URL must not contain a user name or password: the API token grants access."
    if parts.geturl() != parts._replace(query="", fragment="").geturl():
        return "The URL must end before any question mark or hash sign."
    return None


def _problem_with_path(path: str) -> str | None:
    if {".", ".."} & set(path.split("/")) or "//" in path:
        return "The path of the URL must not contain //, or a dot or two dots alone between slashes."
    if path.rstrip("/").endswith("/api/v1"):
        return "The URL must end before /api/v1, which is added automatically."
    return None
