"""Where a Re:infer tenant lives on the web, and the addresses below it.

An endpoint may have a path prefix (`https://cloud.uipath.com/organisation/tenant/reinfer_`), so that addresses are
made by adding segments to it, never by resolving a path from the root. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, quote, urlsplit

from integrations.errors import ReinferEndpointWrong


@dataclass(frozen=True, slots=True)
class Endpoint:
    base: str
    """Without a slash at its end."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The endpoint that an admin entered. Raises `ReinferEndpointWrong` with the reason."""
        problem = problem_with_endpoint(text)
        if problem:
            raise ReinferEndpointWrong(problem)
        return cls(urlsplit(text.strip()).geturl().rstrip("/"))

    def url(self, *segments: str) -> str:
        """The address of these path segments below the endpoint, whatever characters are in them."""
        return "/".join([self.base, *(quote(segment, safe="") for segment in segments)])


def problem_with_endpoint(text: str) -> str | None:
    """Why this cannot be an API endpoint, in words for an admin; None when it can. Never repeats a password in it."""
    text = text.strip()
    if not text.isascii() or not text.isprintable() or {" ", "\\"} & set(text):
        return "An address has no white space, no backslashes and no letters with accents."
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "This is no address, or its port is no number up to 65535."
    if not usable:
        return "It must begin with https:// (or http://) and name a host."
    return _problem_around_the_host(parts) or _problem_with_path(parts.path)


def _problem_around_the_host(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "It must not hold a user name or password: access is by the API token."
    if parts.geturl() != parts._replace(query="", fragment="").geturl():
        return "It must end before any question mark or hash sign."
    return None


def _problem_with_path(path: str) -> str | None:
    if {".", ".."} & set(path.split("/")) or "//" in path:
        return "Its path is not plain: leave out dots and double slashes."
    if path.rstrip("/").endswith("/api/v1"):
        return "It must end before /api/v1: that part is added by itself."
    return None
