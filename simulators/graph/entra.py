"""The simulated Entra: token endpoint for apps (secret or certificate) and service users (password), with Entra's errors."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote

from simulators.exchange.accounts import Principal as ExchangePrincipal
from simulators.graph import discovery
from simulators.graph.accounts import Principal, Registration, User, principal_of
from simulators.graph.assertions import TYPE, BadAssertion, verify
from simulators.graph.errors import Refused, as_json
from simulators.http import Request, Response

GRAPHS = {
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
}
OTHERS = {"https://outlook.office365.com", "https://outlook.office.com", "https://management.azure.com"}
REFUSALS = {
    50034: (400, "invalid_grant", "The user account does not exist in the directory."),
    50076: (400, "invalid_grant", "Due to a configuration change, you must use multi-factor authentication."),
    50126: (400, "invalid_grant", "Error validating credentials due to invalid username or password."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70043: (400, "invalid_grant", "The refresh token has expired or is invalid."),
    90002: (400, "invalid_request", "Tenant not found. Check to make sure you have the correct tenant ID."),
    90033: (503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    900144: (400, "invalid_request", "The request body must contain the following parameter: 'grant_type'."),
    7000215: (401, "invalid_client", "Invalid client secret provided. Ensure the secret being sent is the value."),
    7000218: (401, "invalid_client", "The request body must contain: 'client_assertion' or 'client_secret'."),
    7000222: (401, "invalid_client", "The provided client secret keys for the app are expired."),
}
"""HTTP status, error and text by the number of the AADSTS code. For other numbers, the error is `invalid_client`."""


class NoToken(Exception):
    """The token endpoint returns the error with this AADSTS number."""

    def __init__(self, number: int, text: str = "") -> None:
        super().__init__(number)
        self.number, self.text = number, text


@dataclass(frozen=True)
class Ticket:
    """The data of an issued token. `until`: the time of its expiry, on the clock of `Entra`."""

    principal: Principal
    audience: str
    until: float


@dataclass
class Entra:
    """Token endpoint and discovery of all tenants.

    `lifetime`: seconds that a token is valid. `clock`: measures the lifetime. `now`: Unix time, for assertions.
    """

    registrations: Sequence[Registration] = ()
    users: Sequence[User] = ()
    lifetime: float = 3600.0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    issued: int = 0
    _tokens: dict[str, Ticket] = field(default_factory=dict, repr=False)
    _refreshing: dict[str, tuple[User, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    # ---- tokens ---------------------------------------------------------------------------------------------------

    def principal(self, request: Request, base: str) -> Principal:
        """The account of a request. Raises `Refused` without a valid token for Graph. A token for `base` is valid, too."""
        return self._authenticated(request, GRAPHS | {base})

    def exchange_principal(self, request: Request) -> ExchangePrincipal | None:
        """The account of an EWS request, for a simulated Exchange Online that accepts tokens of Entra. None: no valid token."""
        try:
            known = self._authenticated(request, OTHERS)
        except Refused:
            return None
        if known.application:
            return ExchangePrincipal(known.name, True, known.mailboxes)
        return ExchangePrincipal(known.name, False, frozenset(), known.mailboxes or frozenset())

    def _authenticated(self, request: Request, audiences: Collection[str]) -> Principal:
        scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
        if scheme.casefold() != "bearer" or not token.strip():
            raise _unauthorized("Access token is empty.")
        with self._lock:
            ticket = self._tokens.get(token.strip())
        if ticket is None:
            raise _unauthorized("IDX14100: JWT is not well formed, there are no dots (.).")
        if ticket.audience not in audiences:
            raise _unauthorized("Access token validation failure. Invalid audience.")
        if self.clock() >= ticket.until:
            raise _unauthorized("Lifetime validation failed, the token is expired.")
        return ticket.principal

    def expire(self) -> None:
        """Make all issued access tokens expire now. Refresh tokens remain valid."""
        with self._lock:
            self._tokens = {
                token: Ticket(ticket.principal, ticket.audience, float("-inf"))
                for token, ticket in self._tokens.items()
            }

    # ---- endpoints ------------------------------------------------------------------------------------------------

    def answer(self, request: Request, base: str) -> Response | None:
        """The response of Entra; None for a path of another service."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        match request.method, *parts:
            case "POST", tenant, "oauth2", "v2.0", "token":
                return self.token(request, tenant, base)
            case "GET", tenant, "v2.0", ".well-known", "openid-configuration":
                known = tenant in ("common", "organizations") or self._has_tenant(tenant)
                return discovery.openid_configuration(base, tenant) if known else refusal(90002, error="invalid_tenant")
            case "GET", _, "discovery", "instance":
                return discovery.instances(base)
            case "GET", "common", "userrealm", username:
                return discovery.realm(username)
        return None

    def token(self, request: Request, tenant: str, base: str) -> Response:
        form = {key: values[0] for key, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        try:
            return self._granted(request, form, tenant, base)
        except (NoToken, BadAssertion) as error:
            return refusal(error.number, error.text)

    def _granted(self, request: Request, form: dict[str, str], tenant: str, base: str) -> Response:
        if not self._has_tenant(tenant):
            raise NoToken(90002, f"Tenant '{tenant}' not found.")
        match form.get("grant_type", ""):
            case "client_credentials":
                client_id, secret = _client(request, form)
                registration = self._registration(client_id, tenant)
                self._check_credentials(registration, form, secret, _audiences(base, tenant))
                audience = _audience(form.get("scope", ""), base, only_default=True)
                return self._issue(principal_of(registration, client_id), audience)
            case "password":
                return self._by_password(request, form, tenant, base)
            case "refresh_token":
                return self._refreshed(form)
            case "":
                raise NoToken(900144)
        raise NoToken(70003)

    # ---- apps -----------------------------------------------------------------------------------------------------

    def _has_tenant(self, tenant: str) -> bool:
        tenants = {one.tenant for one in self.registrations} | {one.tenant for one in self.users}
        return tenant.casefold() in {one.casefold() for one in tenants}

    def _registration(self, client_id: str, tenant: str) -> Registration:
        for one in self.registrations:
            if one.client_id == client_id and one.tenant.casefold() == tenant.casefold():
                return one
        text = f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
        raise NoToken(700016, text)

    def _check_credentials(
        self, registration: Registration, form: dict[str, str], secret: str, audiences: Collection[str]
    ) -> None:
        if assertion := form.get("client_assertion"):
            if form.get("client_assertion_type") != TYPE:
                raise NoToken(7000218)
            verify(
                assertion,
                client_id=registration.client_id,
                certificates=registration.certificates,
                audiences=audiences,
                now=self.now(),
            )
        elif not secret:
            raise NoToken(7000218)
        elif secret in registration.expired_secrets:
            raise NoToken(7000222)
        elif not registration.client_secret or not _same(registration.client_secret, secret):
            raise NoToken(7000215)

    # ---- users ----------------------------------------------------------------------------------------------------

    def _by_password(self, request: Request, form: dict[str, str], tenant: str, base: str) -> Response:
        client_id, secret = _client(request, form)
        registration = self._registration(client_id, tenant)
        if secret or "client_assertion" in form:
            self._check_credentials(registration, form, secret, _audiences(base, tenant))
        name = form.get("username", "").casefold()
        user = next((one for one in self.users if one.username.casefold() == name), None)
        if user is None or user.tenant.casefold() != tenant.casefold():
            raise NoToken(50034)
        if not _same(user.password, form.get("password", "")):
            raise NoToken(50126)
        if user.needs_second_factor:
            raise NoToken(50076)
        audience = _audience(form.get("scope", ""), base)
        refresh = secrets.token_urlsafe(48)
        with self._lock:
            self._refreshing[refresh] = user, audience
        return self._issue(principal_of(user, client_id), audience, user=user, refresh=refresh)

    def _refreshed(self, form: dict[str, str]) -> Response:
        refresh = form.get("refresh_token", "")
        with self._lock:
            known = self._refreshing.get(refresh)
        if known is None:
            raise NoToken(70043)
        user, audience = known
        return self._issue(principal_of(user, form.get("client_id", "")), audience, user=user, refresh=refresh)

    def _issue(self, principal: Principal, audience: str, *, user: User | None = None, refresh: str = "") -> Response:
        token = secrets.token_urlsafe(48)
        with self._lock:
            self._tokens[token] = Ticket(principal, audience, self.clock() + self.lifetime)
            self.issued += 1
        answer: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
            "ext_expires_in": int(self.lifetime),
            "access_token": token,
        }
        if user is not None:
            answer |= {"scope": " ".join(sorted(f"{audience}/{name}" for name in user.permissions))}
            answer |= {"refresh_token": refresh, "client_info": _client_info(user)}
        return as_json(answer, headers=(("Cache-Control", "no-store, no-cache"),), label="token")


def refusal(number: int, text: str = "", *, error: str = "") -> Response:
    """An error response of Entra."""
    status, usual_error, usual_text = REFUSALS.get(number, (401, "invalid_client", "The request was refused."))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    description = (
        f"AADSTS{number}: {text or usual_text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"
    )
    answer = {
        "error": error or usual_error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return as_json(answer, status, label="token")


def _audiences(base: str, tenant: str) -> set[str]:
    """The valid audiences of an assertion: the URLs of the token endpoint and the issuer."""
    return {f"{base}/{tenant}/oauth2/v2.0/token", f"{base}/{tenant}/oauth2/token", f"{base}/{tenant}/v2.0"}


def _audience(scope: str, base: str, *, only_default: bool = False) -> str:
    """The service of the first scope that names a service. Raises `NoToken`."""
    for one in scope.split():
        resource, _, name = one.rpartition("/")
        if one in ("openid", "profile", "offline_access", "email"):
            continue
        if only_default and name != ".default":
            raise NoToken(70011)
        if (resource or "https://graph.microsoft.com") not in GRAPHS | OTHERS | {base}:
            raise NoToken(500011)
        return resource or "https://graph.microsoft.com"
    raise NoToken(70011)


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the form or from Basic authentication (RFC 6749, section 2.3.1)."""
    scheme, _, value = (request.headers.get("Authorization") or "").partition(" ")
    if scheme.casefold() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            client_id, _, secret = base64.b64decode(value).decode().partition(":")
            return unquote(client_id), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _client_info(user: User) -> str:
    known = {"uid": user.username.casefold(), "utid": user.tenant}
    return base64.urlsafe_b64encode(json.dumps(known).encode()).decode().rstrip("=")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _unauthorized(text: str) -> Refused:
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return Refused("InvalidAuthenticationToken", text, headers=(("WWW-Authenticate", challenge),))
