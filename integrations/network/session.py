"""A session of `requests` that sends requests to only one server, even if that server answers with a redirect."""

from __future__ import annotations

import ssl
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any

import requests
from requests.utils import get_environ_proxies

from integrations.network.transport import CallDeadline, DeadlineAdapter

MAX_COOKIES = 20
"""Maximum number of cookies that one session stores."""
LONGEST_COOKIE = 4096
"""Maximum number of characters of the name and the value of a cookie together. A longer cookie is not stored."""


class ServerSession(requests.Session):
    """A session that follows no redirect and sends nothing to another server or without TLS.

    Each request contains credentials, so the answer of a server must not decide where the next request goes. Load
    balancers in front of Exchange need cookies; the number and the length of cookies are limited.
    """

    def __init__(
        self, server: str, *, context: ssl.SSLContext, deadline: CallDeadline, proxy: str = "", user_agent: str
    ) -> None:
        """Create the session.

        Args:
            server: Any https:// address of the server.
            context: The TLS context.
            deadline: The deadline of each call.
            proxy: The address of the proxy; blank for the proxy of the environment variables.
            user_agent: The User-Agent header.
        """
        super().__init__()
        # Environment variables could set a netrc file with other credentials, or another CA bundle.
        self.trust_env = False
        self.proxies = {"https": proxy} if proxy else get_environ_proxies(server)
        self.headers["User-Agent"] = user_agent
        self.cookies.set_policy(_FewCookies(self.cookies))
        self.adapters.clear()
        self.mount("https://", DeadlineAdapter(context, deadline, server))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that requests follows no redirect.

        Args:
            resp: The answer of the server.
        """


class _FewCookies(DefaultCookiePolicy):
    """Limits the number and the length of cookies, because the session stores them as long as it exists."""

    def __init__(self, jar: CookieJar) -> None:
        super().__init__()
        self._jar = jar

    def set_ok(self, cookie: Cookie, request: Any) -> bool:
        if len(cookie.name) + len(cookie.value or "") > LONGEST_COOKIE:
            return False
        replaces = any(_identity(stored) == _identity(cookie) for stored in self._jar)
        return (replaces or len(self._jar) < MAX_COOKIES) and super().set_ok(cookie, request)


def _identity(cookie: Cookie) -> tuple[str, str, str]:
    return cookie.domain, cookie.path, cookie.name
