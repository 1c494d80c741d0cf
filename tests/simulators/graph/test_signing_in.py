"""The token endpoint: secrets, certificates, passwords, and errors."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulators.graph.assertions import TYPE
from tests.simulators.graph.conftest import ADDRESS, DEFAULT, OTHER, Reader

INBOX = "mailFolders/inbox"


def made_certificate(key: rsa.RSAPrivateKey, *, days: int = 30) -> x509.Certificate:
    name, now = x509.Name([]), datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Signer:
    """Signs client assertions as Microsoft's libraries do."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.certificate = made_certificate(self.key)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(
        self, audience: str, *, algorithm: str = "RS256", header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        thumbprints = {
            "x5t": encoded(self.certificate.fingerprint(hashes.SHA1())),
            "x5t#S256": encoded(self.certificate.fingerprint(hashes.SHA256())),
        }
        named = "x5t#S256" if algorithm == "PS256" else "x5t"
        head = {"alg": algorithm, "typ": "JWT", named: thumbprints[named]} if header is None else header
        now = time.time()
        all_claims = {
            "aud": audience,
            "iss": "client",
            "sub": "client",
            "exp": now + 600,
            "nbf": now,
            "jti": "1",
        } | claims
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, all_claims))
        pads = {"PS256": padding.PSS(padding.MGF1(hashes.SHA256()), 32)}
        return f"{signed}.{encoded(self.key.sign(signed.encode(), pads.get(algorithm, padding.PKCS1v15()), hashes.SHA256()))}"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture
def certified(reader: Reader, signer: Signer) -> Reader:
    register(reader, certificates=frozenset({signer.pem}), expired_secrets=frozenset({"last year's"}))
    return reader


def register(reader: Reader, **changed: Any) -> None:
    reader.graph.entra.registrations = [replace(reader.graph.entra.registrations[0], **changed)]


def by_assertion(reader: Reader, assertion: str, **form: str) -> tuple[int, str]:
    answer = reader.token(client_secret="", client_assertion=assertion, client_assertion_type=TYPE, **form)
    body = answer.json()
    return answer.status_code, body.get("error_description", body.get("token_type", "")).partition(":")[0]


def endpoint(reader: Reader) -> str:
    return f"{reader.graph.authority_url}/tenant/oauth2/v2.0/token"


def test_a_secret_gets_a_token_that_opens_the_mailboxes_of_its_app(reader: Reader) -> None:
    answer = reader.token().json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    reader.headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert reader.get(INBOX).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": "last year's"}, 401, "invalid_client", 7000222),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_id": "stranger"}, 400, "unauthorized_client", 700016),
        ({"tenant": "elsewhere"}, 400, "invalid_request", 90002),
        ({"scope": "https://graph.microsoft.com/Mail.Read"}, 400, "invalid_scope", 70011),
        ({"scope": ""}, 400, "invalid_scope", 70011),
        ({"scope": "https://nowhere.example/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": "refresh_token"}, 400, "invalid_grant", 70043),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
    ],
)
def test_the_token_endpoint_refuses_as_entra_does(
    certified: Reader, form: dict[str, str], status: int, error: str, number: int
) -> None:
    issued = certified.graph.tokens_issued
    response = certified.token(**form)
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert {"trace_id", "correlation_id", "timestamp", "error_uri"} <= set(body)
    assert certified.graph.tokens_issued == issued


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_certificate_gets_a_token(certified: Reader, signer: Signer, algorithm: str) -> None:
    assertion = signer.sign(endpoint(certified), algorithm=algorithm)
    assert by_assertion(certified, assertion) == (200, "Bearer")
    tenant = f"{certified.graph.authority_url}/tenant/v2.0"
    assert by_assertion(certified, signer.sign(tenant, algorithm=algorithm)) == (200, "Bearer")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": time.time() - 3600}, "AADSTS700024"),
        ({"nbf": time.time() + 3600}, "AADSTS700024"),
        ({"exp": "soon"}, "AADSTS50027"),
        ({"aud": "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"}, "AADSTS700023"),
        ({"iss": "stranger"}, "AADSTS700021"),
        ({"sub": "stranger"}, "AADSTS700021"),
    ],
)
def test_each_claim_of_an_assertion_is_checked(
    certified: Reader, signer: Signer, claims: dict[str, Any], code: str
) -> None:
    assert by_assertion(certified, signer.sign(endpoint(certified), **claims)) == (401, code)


def test_a_signature_is_really_verified(certified: Reader, signer: Signer) -> None:
    audience, stranger = endpoint(certified), Signer()
    good = signer.sign(audience)
    unknown = stranger.sign(audience)
    forged = f"{good.rpartition('.')[0]}.{unknown.rpartition('.')[2]}"
    head, claims, signature = good.split(".")
    padded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))) | {"jti": "2"}
    changed = f"{head}.{encoded(json.dumps(padded).encode())}.{signature}"
    for assertion in (unknown, forged, changed, signer.sign(audience, header={"alg": "RS256"})):
        assert by_assertion(certified, assertion) == (401, "AADSTS700027")
    nobody = {"alg": "none", "x5t": encoded(signer.certificate.fingerprint(hashes.SHA1()))}
    assert by_assertion(certified, signer.sign(audience, header=nobody)) == (401, "AADSTS700027")
    for garbage in ("a.b.c", "nothing", f"{good}.x", "Ä.b.c"):
        assert by_assertion(certified, garbage) == (401, "AADSTS50027")


def test_an_expired_certificate_is_refused(certified: Reader) -> None:
    old = Signer()
    old.certificate = made_certificate(old.key, days=-1)
    register(certified, certificates=frozenset({old.pem}))
    assert by_assertion(certified, old.sign(endpoint(certified))) == (401, "AADSTS1000502")


def test_an_app_without_a_secret_refuses_every_secret(certified: Reader) -> None:
    register(certified, client_secret="")
    assert certified.token(client_secret="").json()["error_codes"] == [7000218]
    assert certified.token(client_secret="x").json()["error_codes"] == [7000215]


def test_a_service_user_signs_in_with_a_password_and_then_with_a_refresh_token(reader: Reader) -> None:
    form = {"grant_type": "password", "username": "SVC@bank.example", "client_secret": ""}
    form["scope"] = "https://graph.microsoft.com/.default offline_access openid profile"
    answer = reader.token(password="pa55", **form).json()
    reader.headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert reader.get(INBOX).status_code == 200
    assert reader.error(f"{reader.graph.url}/v1.0/users/{OTHER}/mailFolders/inbox") == (403, "ErrorAccessDenied")
    again = reader.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert again.json()["access_token"] != answer["access_token"]
    assert reader.token(password="wrong", **form).json()["error_codes"] == [50126]
    assert reader.token(password="pa55", **form | {"username": "x@y"}).json()["error_codes"] == [50034]
    user = reader.graph.entra.users[0]
    reader.graph.entra.users = [replace(user, needs_second_factor=True)]
    assert reader.token(password="pa55", **form).json()["error_codes"] == [50076]


def test_me_is_the_user_and_is_refused_to_an_app(reader: Reader) -> None:
    reader.graph.store.add("svc@bank.example")
    assert reader.error(f"{reader.graph.url}/v1.0/me/mailFolders/inbox") == (400, "BadRequest")
    reader.sign_in(grant_type="password", username="svc@bank.example", password="pa55")
    page = reader.get(f"{reader.graph.url}/v1.0/me/mailFolders/inbox/messages/delta").json()
    assert "/v1.0/me/mailFolders('inbox')/" in page["@odata.deltaLink"]
    assert reader.get(page["@odata.deltaLink"]).status_code == 200


def test_a_token_expires_and_is_valid_for_graph_only(reader: Reader) -> None:
    expired = (401, "InvalidAuthenticationToken")
    reader.graph.expire_tokens()
    assert reader.error(INBOX) == expired
    reader.sign_in()
    assert reader.get(INBOX).status_code == 200
    reader.graph.entra.clock = lambda: float("inf")
    assert reader.error(INBOX) == expired
    reader.graph.entra.clock = time.monotonic
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        reader.headers = headers
        assert reader.error(INBOX) == expired
    assert reader.get(INBOX).headers["WWW-Authenticate"].startswith("Bearer")
    reader.sign_in(scope="https://outlook.office365.com/.default")
    assert reader.error(INBOX) == expired
    assert "audience" in reader.get(INBOX).json()["error"]["message"]
    reader.sign_in(scope=f"{reader.graph.url}/.default")
    assert reader.get(INBOX).status_code == 200


def test_permissions_decide_what_an_app_sees(reader: Reader) -> None:
    reader.deliver("a")
    register(reader, permissions=frozenset({"Mail.ReadBasic.All"}))
    reader.sign_in()
    row = reader.get("mailFolders/inbox/messages").json()["value"][0]
    assert (row["subject"], "body" in row, "bodyPreview" in row) == ("About a", False, False)
    assert reader.error(f"messages/{row['id']}/$value") == (403, "ErrorAccessDenied")
    assert reader.error(f"messages/{row['id']}/attachments") == (403, "ErrorAccessDenied")
    register(reader, permissions=frozenset({"User.Read.All"}))
    reader.sign_in()
    assert reader.error(INBOX) == (403, "ErrorAccessDenied")


def test_discovery_leads_to_the_token_endpoint(reader: Reader) -> None:
    base = reader.graph.authority_url
    known = reader.get(f"{base}/tenant/v2.0/.well-known/openid-configuration").json()
    assert known["token_endpoint"] == f"{base}/tenant/oauth2/v2.0/token"
    assert known["issuer"] == f"{base}/tenant/v2.0"
    unknown = reader.get(f"{base}/elsewhere/v2.0/.well-known/openid-configuration")
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_tenant")
    instance = reader.get(f"{base}/common/discovery/instance").json()
    assert instance["tenant_discovery_endpoint"].startswith(base)
    assert reader.get(f"{base}/common/userrealm/{ADDRESS}").json()["account_type"] == "Managed"
    assert reader.get(f"{base}/somewhere/else").status_code == 404
    assert DEFAULT.startswith("https://graph")
