"""Authentication: NTLM with a real handshake, Basic, and bearer tokens of a simulated token endpoint."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

import spnego
from spnego.channel_bindings import GssChannelBindings

from simulators.exchange.accounts import Account, Application, Principal, principal_of
from simulators.http import Request, Response

AV_CHANNEL_BINDINGS = struct.pack("<HH", 10, 16)
"""Header of the AV pair MsvAvChannelBindings: its id and the length of an MD5 digest."""
NTLM_LOCK = threading.Lock()
SCHEMES_ON_PREMISES = ("NTLM", 'Basic realm="exchange.example"')


class OnPremises:
    """NTLM and Basic with a list of accounts. An NTLM handshake authenticates its TCP connection."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.offers: Sequence[str] = SCHEMES_ON_PREMISES
        """The schemes in the WWW-Authenticate headers of a 401. Other schemes are refused."""
        self.accounts = {account.username.casefold(): account for account in accounts}
        self.negotiate_takes_ntlm = True
        """Whether Negotiate accepts NTLM. If not, Negotiate accepts only Kerberos, which is not simulated."""
        self.extended_protection = False
        """Whether a handshake must have the channel binding of its TLS connection (RFC 5929, tls-server-end-point)."""
        self.certificate = b""
        """The certificate of the server (DER)."""
        self.refused: Counter[str] = Counter()
        """Number of wrong passwords by user name, except in SPNEGO. A real directory locks an account after some wrong
        passwords.
        """
        self._generation = 0
        handle, self._users = tempfile.mkstemp(prefix="ntlm-users-")
        os.close(handle)
        self._write_users()

    def change_password(self, username: str, password: str) -> None:
        """Change the password. Connections that are already authenticated must authenticate again."""
        known = self.accounts[username.casefold()]
        self.accounts[username.casefold()] = replace(known, password=password)
        self._generation += 1
        with NTLM_LOCK:
            self._write_users()

    def _write_users(self) -> None:
        with open(self._users, "w", encoding="utf-8") as file:
            for account in self.accounts.values():
                domain, _, user = account.username.rpartition("\\")
                file.write(f"{domain}:{user}:{account.password}\n")

    def close(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._users)

    def principal(self, request: Request) -> Principal | Response:
        """The account of a request, or a 401."""
        scheme, _, value = (request.headers.get("Authorization") or "").partition(" ")
        taken = {offer.partition(" ")[0].casefold() for offer in self.offers}
        match scheme.casefold():
            case "ntlm" if "ntlm" in taken:
                return self._ntlm(request, "NTLM", value)
            case "negotiate" if "negotiate" in taken and self.negotiate_takes_ntlm:
                return self._ntlm(request, "Negotiate", value)
            case "basic" if "basic" in taken:
                return self._basic(value)
            case "":
                generation, known = request.connection.state.get("principal", (0, None))
                if isinstance(known, Principal) and generation == self._generation:
                    return known
        return _unauthorized(self.offers)

    def _basic(self, value: str) -> Principal | Response:
        try:
            username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return _unauthorized(self.offers)
        account = self.accounts.get(username.casefold())
        if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
            self.refused[username.casefold()] += 1
            return _unauthorized(self.offers)
        return principal_of(account)

    def _ntlm(self, request: Request, scheme: str, value: str) -> Principal | Response:
        """One step of a handshake. A Negotiate token is plain NTLM, or NTLM in SPNEGO (RFC 4178)."""
        state = request.connection.state
        try:
            token = base64.b64decode(value, validate=True)
            with NTLM_LOCK:
                # When the library makes a context, it reads the users from the file that this variable names.
                os.environ["NTLM_USER_FILE"] = self._users
                context = state.get("ntlm") or _acceptor(token)
                state["ntlm"] = context
                answer = context.step(token)
        except (binascii.Error, spnego.exceptions.SpnegoError, ValueError):
            state.pop("ntlm", None)
            if (username := _ntlm_user(value)) is not None:
                self.refused[username.casefold()] += 1
            return _unauthorized(self.offers)
        if not context.complete:
            return _unauthorized((f"{scheme} {base64.b64encode(answer or b'').decode()}",))
        state.pop("ntlm", None)
        account = self.accounts.get(str(context.client_principal).casefold())
        if account is None or (self.extended_protection and not self._is_bound(token)):
            return _unauthorized(self.offers)
        principal = principal_of(account)
        state["principal"] = (self._generation, principal)
        return principal

    def _is_bound(self, message: bytes) -> bool:
        """Whether the last message of a handshake has the channel binding of this server's certificate.

        The binding is an MD5 digest in an AV pair (MS-NLMP, section 2.2.2.1). The NTLM response of the client authenticates
        the AV pair. An AV pair of zeros means that there is no binding.
        """
        data = b"tls-server-end-point:" + hashlib.sha256(self.certificate).digest()
        bindings = GssChannelBindings(application_data=data).pack()
        return AV_CHANNEL_BINDINGS + hashlib.md5(bindings).digest() in message


def _acceptor(token: bytes) -> spnego.ContextProxy:
    if token.startswith(b"NTLMSSP\0"):
        return spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    return spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)


@dataclass
class Online:
    """Bearer tokens, the token endpoint `/<tenant>/oauth2/v2.0/token` and its discovery. `lifetime` of a token: in seconds."""

    applications: Sequence[Application]
    lifetime: float = 3600.0
    clock: Callable[[], float] = time.monotonic
    issued: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Number of refused sign-ins by client id."""
    elsewhere: Callable[[Request], Principal | None] | None = None
    """Returns the account of a token that another sign-in service issued; None if that service did not issue it either."""
    _tokens: dict[str, tuple[Application, float]] = field(default_factory=dict, repr=False)

    def principal(self, request: Request) -> Principal | Response:
        scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
        application, until = self._tokens.get(token, (None, 0.0))
        if application is None and self.elsewhere is not None and (known := self.elsewhere(request)) is not None:
            return known
        if scheme.casefold() != "bearer" or application is None or self.clock() >= until:
            return _unauthorized(('Bearer realm="", error="invalid_token"',))
        return principal_of(application)

    def change_secret(self, client_id: str, secret: str) -> None:
        """Change the secret, and make all issued tokens invalid."""
        self.applications = [
            replace(one, client_secret=secret) if one.client_id == client_id else one for one in self.applications
        ]
        self.expire()

    def expire(self) -> None:
        """Make all issued tokens invalid."""
        self._tokens.clear()

    def discovery(self, base: str, tenant: str) -> Response:
        """The document with the URL of the token endpoint. `base`: scheme and host as in the request of the client."""
        if not any(application.tenant == tenant for application in self.applications):
            return _token_error(400, "invalid_tenant", "AADSTS90002: Tenant not found.")
        authority = f"{base}/{tenant}"
        known = {
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
        }
        return Response(200, json.dumps(known).encode(), label="openid-configuration")

    def token(self, request: Request, tenant: str) -> Response:
        """The token endpoint, only for the grant type `client_credentials`."""
        form = {key: values[0] for key, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        known = [application for application in self.applications if application.tenant == tenant]
        if not known:
            return _token_error(400, "invalid_request", "AADSTS90002: Tenant not found.")
        client_id, secret = _client(request, form)
        if form.get("grant_type") != "client_credentials":
            return _token_error(400, "unsupported_grant_type", "AADSTS70003: Only client_credentials is simulated.")
        application = next((one for one in known if one.client_id == client_id), None)
        if application is None:
            return _token_error(400, "unauthorized_client", "AADSTS700016: Application was not found.")
        if not hmac.compare_digest(application.client_secret.encode(), secret.encode()):
            self.refused[client_id] += 1
            return _token_error(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        token = secrets.token_urlsafe(48)
        self._tokens[token] = (application, self.clock() + self.lifetime)
        self.issued += 1
        answer = {"token_type": "Bearer", "expires_in": int(self.lifetime), "access_token": token}
        return Response(200, json.dumps(answer).encode(), label="token")


def _ntlm_user(value: str) -> str | None:
    r"""`DOMAIN\user` in the last message of a handshake (MS-NLMP, section 2.2.1.3); None for other messages."""
    try:
        message = base64.b64decode(value, validate=True)
        if message[:8] != b"NTLMSSP\0" or struct.unpack_from("<I", message, 8) != (3,):
            return None
        parts = [struct.unpack_from("<HHI", message, at) for at in (28, 36)]
    except (binascii.Error, struct.error):
        return None
    domain, user = (message[at : at + length].decode("utf-16-le", "replace") for length, _, at in parts)
    return f"{domain}\\{user}"


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the form or from Basic authentication (RFC 6749, section 2.3.1)."""
    scheme, _, value = (request.headers.get("Authorization") or "").partition(" ")
    if scheme.casefold() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            client_id, _, secret = base64.b64decode(value).decode().partition(":")
            return client_id, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _unauthorized(schemes: Sequence[str]) -> Response:
    headers = tuple(("WWW-Authenticate", scheme) for scheme in schemes)
    return Response(401, b"", headers=headers, label="unauthorized")


def _token_error(status: int, code: str, text: str) -> Response:
    return Response(status, json.dumps({"error": code, "error_description": text}).encode(), label="token")
