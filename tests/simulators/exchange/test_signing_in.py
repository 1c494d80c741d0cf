"""Authentication with NTLM, Basic and bearer tokens, without the product's client."""

from __future__ import annotations

import base64
import hashlib
import ssl

import httpx
import pytest
import spnego
import spnego.channel_bindings

from tests.simulators.exchange.conftest import EwsClient, get_folder

SOAP_TYPE = {"Content-Type": "text/xml"}


def token(ews_client: EwsClient, *, tenant: str = "tenant", basic: bool = False, **form: str) -> httpx.Response:
    given = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "s3cret"} | form
    auth = (given.pop("client_id"), given.pop("client_secret")) if basic else None
    return ews_client.client.post(
        f"{ews_client.exchange.authority_url}/{tenant}/oauth2/v2.0/token", data=given, auth=auth
    )


def ntlm(
    ews_client: EwsClient,
    password: str,
    *,
    offer: str = "NTLM",
    spnego_wrapped: bool = False,
    bound_to: bytes | None = None,
) -> list[httpx.Response]:
    """Return the responses of an NTLM handshake on one connection, and of one request after the handshake.

    `bound_to`: the certificate (DER) for the channel binding.
    """
    options = spnego.NegotiateOptions.use_negotiate if spnego_wrapped else spnego.NegotiateOptions.use_ntlm
    bindings = None
    if bound_to is not None:
        data = b"tls-server-end-point:" + hashlib.sha256(bound_to).digest()
        bindings = spnego.channel_bindings.GssChannelBindings(application_data=data)
    protocol = "negotiate" if spnego_wrapped else "ntlm"
    client = spnego.client("BANK\\svc", password, protocol=protocol, options=options, channel_bindings=bindings)
    url, responses, challenge = ews_client.exchange.url(), [], None
    responses.append(ews_client.client.post(url, content=b"", headers=SOAP_TYPE))
    for _ in range(2):
        message = base64.b64encode(client.step(challenge) or b"").decode()
        response = ews_client.client.post(
            url, content=b"<a/>", headers={**SOAP_TYPE, "Authorization": f"{offer} {message}"}
        )
        scheme, _, value = response.headers.get("WWW-Authenticate", "").partition(" ")
        challenge = base64.b64decode(value) if scheme == offer and value else None
        responses.append(response)
        if challenge is None:
            break
    return [*responses, ews_client.client.post(url, content=b"<a/>", headers=SOAP_TYPE)]


def test_an_unauthenticated_request_gets_a_401(ews_client: EwsClient) -> None:
    response = ews_client.client.post(ews_client.exchange.url(), content=b"", headers=SOAP_TYPE)
    assert response.status_code == 401
    assert response.headers.get_list("WWW-Authenticate") == ["NTLM", 'Basic realm="exchange.example"']
    online = ews_client.client.post(ews_client.exchange.url("online"), content=b"", headers=SOAP_TYPE)
    assert online.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_ntlm_handshake_signs_in_its_connection(ews_client: EwsClient) -> None:
    asked, challenged, answered, later = ntlm(ews_client, "s3cret")
    assert (asked.status_code, challenged.status_code) == (401, 401)
    assert challenged.headers["WWW-Authenticate"].startswith("NTLM ")
    # The body is not SOAP. The 500 shows that the server parsed it, so authentication succeeded.
    assert (answered.status_code, later.status_code) == (500, 500)


def test_an_ntlm_handshake_with_a_wrong_password_fails(ews_client: EwsClient) -> None:
    assert {response.status_code for response in ntlm(ews_client, "wrong")} == {401}


@pytest.mark.parametrize("spnego_wrapped", [False, True], ids=["bare", "in SPNEGO"])
def test_a_server_that_offers_negotiate_accepts_ntlm_unless_it_accepts_only_kerberos(
    ews_client: EwsClient, spnego_wrapped: bool
) -> None:
    ews_client.exchange.on_premises.offers = ("Negotiate",)
    asked, *_, later = ntlm(ews_client, "s3cret", offer="Negotiate", spnego_wrapped=spnego_wrapped)
    assert asked.headers.get_list("WWW-Authenticate") == ["Negotiate"]
    assert later.status_code == 500
    ews_client.exchange.on_premises.negotiate_takes_ntlm = False
    ews_client.client.close()
    with httpx.Client(verify=ssl.create_default_context(cadata=ews_client.exchange.ca), trust_env=False) as client:
        ews_client.client = client
        refused = ntlm(ews_client, "s3cret", offer="Negotiate", spnego_wrapped=spnego_wrapped)
    assert {response.status_code for response in refused} == {401}


def test_extended_protection_needs_a_channel_binding(ews_client: EwsClient) -> None:
    ews_client.exchange.on_premises.extended_protection = True
    host, port = httpx.URL(ews_client.exchange.url()).host, httpx.URL(ews_client.exchange.url()).port
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, port or 443)))
    for bound_to in (None, shown[:-1]):
        assert {response.status_code for response in ntlm(ews_client, "s3cret", bound_to=bound_to)} == {401}
    assert ntlm(ews_client, "s3cret", bound_to=shown)[-1].status_code == 500
    ews_client.exchange.on_premises.extended_protection = False


def test_a_wrong_basic_password_or_header_fails(ews_client: EwsClient) -> None:
    assert ews_client.post(get_folder()).status_code == 200
    for auth in (("BANK\\svc", "wrong"), ("BANK\\nobody", "s3cret")):
        ews_client.auth = auth
        assert ews_client.post(get_folder()).status_code == 401
    garbage = {**SOAP_TYPE, "Authorization": "Basic !!!"}
    assert ews_client.client.post(ews_client.exchange.url(), content=b"", headers=garbage).status_code == 401


@pytest.mark.parametrize("basic", [False, True], ids=["in the form", "as Basic"])
def test_a_token_is_valid_for_the_online_endpoint_only(ews_client: EwsClient, basic: bool) -> None:
    answer = token(ews_client, basic=basic).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    bearer = {**SOAP_TYPE, "Authorization": f"Bearer {answer['access_token']}"}
    assert ews_client.client.post(ews_client.exchange.url("online"), content=b"<a/>", headers=bearer).status_code == 500
    assert ews_client.client.post(ews_client.exchange.url("onprem"), content=b"<a/>", headers=bearer).status_code == 401


def test_a_token_expires_or_is_revoked(ews_client: EwsClient) -> None:
    def status() -> int:
        return ews_client.client.post(ews_client.exchange.url("online"), content=b"<a/>", headers=bearer).status_code

    bearer = {**SOAP_TYPE, "Authorization": f"Bearer {token(ews_client).json()['access_token']}"}
    assert status() == 500
    ews_client.exchange.online.expire()
    assert status() == 401
    bearer = {**SOAP_TYPE, "Authorization": f"Bearer {token(ews_client).json()['access_token']}"}
    ews_client.exchange.online.clock = lambda: float("inf")
    assert status() == 401


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", "AADSTS7000215"),
        ({"client_id": "stranger"}, 400, "unauthorized_client", "AADSTS700016"),
        ({"tenant": "elsewhere"}, 400, "invalid_request", "AADSTS90002"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "AADSTS70003"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type", "AADSTS70003"),
    ],
)
def test_the_token_endpoint_refuses_as_entra_does(
    ews_client: EwsClient, form: dict[str, str], status: int, error: str, number: str
) -> None:
    response = token(ews_client, **form)  # type: ignore[arg-type]
    assert response.status_code == status
    assert response.json()["error"] == error
    assert number in response.json()["error_description"]
    assert ews_client.exchange.online.issued == 0


def test_a_scripted_fault_spoils_the_answer_of_the_token_endpoint(ews_client: EwsClient) -> None:
    ews_client.exchange.faults.add("truncate", operation="token", bytes=10, times=1)
    assert len(token(ews_client).content) == 10
    assert token(ews_client).json()["token_type"] == "Bearer"
