"""A session of requests that talks to one server and to nobody else, whatever that server answers."""

from __future__ import annotations

import ssl
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any

import requests
from requests.utils import get_environ_proxies

from integrations.network.transport import CallDeadline, DeadlineAdapter

MOST_COOKIES = 20
LONGEST_COOKIE = 4096
"""Characters of name and value."""


class ServerSession(requests.Session):
    """Follows no redirect, whoever asks for it, and sends nothing to another server or without TLS.

    Credentials go along with each request, so the answer of a server must not decide where the next request goes. Load
    balancers in front of Exchange need cookies; they are kept within bounds.
    """

    def __init__(
        self, server: str, *, context: ssl.SSLContext, deadline: CallDeadline, proxy: str = "", user_agent: str
    ) -> None:
        """`server`: any https:// address of the server. `proxy`: its address; blank for that of the environment."""
        super().__init__()
        # The environment could name a netrc with other credentials, or another CA bundle.
        self.trust_env = False
        self.proxies = {"https": proxy} if proxy else get_environ_proxies(server)
        self.headers["User-Agent"] = user_agent
        self.cookies.set_policy(_FewCookies(self.cookies))
        self.adapters.clear()
        self.mount("https://", DeadlineAdapter(context, deadline, server))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: no answer is a redirect."""


class _FewCookies(DefaultCookiePolicy):
    """Cookies are kept for as long as the session lives, so a server must not make them many or long."""

    def __init__(self, jar: CookieJar) -> None:
        super().__init__()
        self._jar = jar

    def set_ok(self, cookie: Cookie, request: Any) -> bool:
        if len(cookie.name) + len(cookie.value or "") > LONGEST_COOKIE:
            return False
        known = any(_place(kept) == _place(cookie) for kept in self._jar)
        return (known or len(self._jar) < MOST_COOKIES) and super().set_ok(cookie, request)


def _place(cookie: Cookie) -> tuple[str, str, str]:
    return cookie.domain, cookie.path, cookie.name
