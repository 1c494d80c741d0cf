"""The three ways to sign in, as a client without our code finds them."""

from __future__ import annotations

import base64
import hashlib
import ssl

import httpx
import pytest
import spnego
import spnego.channel_bindings

from tests.simulators.exchange.conftest import Asker, get_folder

SOAP_TYPE = {"Content-Type": "text/xml"}


def token(asker: Asker, *, tenant: str = "tenant", basic: bool = False, **form: str) -> httpx.Response:
    given = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "s3cret"} | form
    auth = (given.pop("client_id"), given.pop("client_secret")) if basic else None
    return asker.client.post(f"{asker.exchange.authority_url}/{tenant}/oauth2/v2.0/token", data=given, auth=auth)  # type: ignore[arg-type]


def ntlm(
    asker: Asker, password: str, *, offer: str = "NTLM", spnego_wrapped: bool = False, bound_to: bytes | None = None
) -> list[httpx.Response]:
    """A whole handshake on one connection: asked, challenged, answered; and one more request after it. `bound_to`: the
    certificate (DER) of the TLS channel that the client takes it to come through."""
    options = spnego.NegotiateOptions.use_negotiate if spnego_wrapped else spnego.NegotiateOptions.use_ntlm
    bindings = None
    if bound_to is not None:
        data = b"tls-server-end-point:" + hashlib.sha256(bound_to).digest()
        bindings = spnego.channel_bindings.GssChannelBindings(application_data=data)
    protocol = "negotiate" if spnego_wrapped else "ntlm"
    client = spnego.client("BANK\\svc", password, protocol=protocol, options=options, channel_bindings=bindings)
    url, responses, challenge = asker.exchange.url(), [], None
    responses.append(asker.client.post(url, content=b"", headers=SOAP_TYPE))
    for _ in range(2):
        message = base64.b64encode(client.step(challenge) or b"").decode()
        response = asker.client.post(url, content=b"<a/>", headers={**SOAP_TYPE, "Authorization": f"{offer} {message}"})
        scheme, _, value = response.headers.get("WWW-Authenticate", "").partition(" ")
        challenge = base64.b64decode(value) if scheme == offer and value else None
        responses.append(response)
        if challenge is None:
            break
    return [*responses, asker.client.post(url, content=b"<a/>", headers=SOAP_TYPE)]


def test_who_does_not_sign_in_is_asked_to(asker: Asker) -> None:
    response = asker.client.post(asker.exchange.url(), content=b"", headers=SOAP_TYPE)
    assert response.status_code == 401
    assert response.headers.get_list("WWW-Authenticate") == ["NTLM", 'Basic realm="exchange.example"']
    online = asker.client.post(asker.exchange.url("online"), content=b"", headers=SOAP_TYPE)
    assert online.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_ntlm_handshake_signs_in_its_connection(asker: Asker) -> None:
    asked, challenged, answered, later = ntlm(asker, "s3cret")
    assert (asked.status_code, challenged.status_code) == (401, 401)
    assert challenged.headers["WWW-Authenticate"].startswith("NTLM ")
    # What was sent is no SOAP; but it was read, and so its sender was known.
    assert (answered.status_code, later.status_code) == (500, 500)


def test_an_ntlm_handshake_with_a_wrong_password_fails(asker: Asker) -> None:
    assert {response.status_code for response in ntlm(asker, "wrong")} == {401}


@pytest.mark.parametrize("spnego_wrapped", [False, True], ids=["bare", "in SPNEGO"])
def test_negotiate_takes_ntlm_unless_it_means_kerberos_alone(asker: Asker, spnego_wrapped: bool) -> None:
    asker.exchange.on_premises.offers = ("Negotiate",)
    asked, *_, later = ntlm(asker, "s3cret", offer="Negotiate", spnego_wrapped=spnego_wrapped)
    assert asked.headers.get_list("WWW-Authenticate") == ["Negotiate"]
    assert later.status_code == 500
    asker.exchange.on_premises.negotiate_takes_ntlm = False
    asker.client.close()
    with httpx.Client(verify=ssl.create_default_context(cadata=asker.exchange.ca), trust_env=False) as client:
        asker.client = client
        refused = ntlm(asker, "s3cret", offer="Negotiate", spnego_wrapped=spnego_wrapped)
    assert {response.status_code for response in refused} == {401}


def test_extended_protection_wants_a_handshake_that_is_bound_to_its_channel(asker: Asker) -> None:
    asker.exchange.on_premises.extended_protection = True
    host, port = httpx.URL(asker.exchange.url()).host, httpx.URL(asker.exchange.url()).port
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, port or 443)))
    for bound_to in (None, shown[:-1]):
        assert {response.status_code for response in ntlm(asker, "s3cret", bound_to=bound_to)} == {401}
    assert ntlm(asker, "s3cret", bound_to=shown)[-1].status_code == 500
    asker.exchange.on_premises.extended_protection = False


def test_a_wrong_basic_password_or_header_fails(asker: Asker) -> None:
    assert asker.post(get_folder()).status_code == 200
    for auth in (("BANK\\svc", "wrong"), ("BANK\\nobody", "s3cret")):
        asker.auth = auth
        assert asker.post(get_folder()).status_code == 401
    garbage = {**SOAP_TYPE, "Authorization": "Basic !!!"}
    assert asker.client.post(asker.exchange.url(), content=b"", headers=garbage).status_code == 401


@pytest.mark.parametrize("basic", [False, True], ids=["in the form", "as Basic"])
def test_a_token_is_handed_out_and_opens_the_online_endpoint_only(asker: Asker, basic: bool) -> None:
    answer = token(asker, basic=basic).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    bearer = {**SOAP_TYPE, "Authorization": f"Bearer {answer['access_token']}"}
    assert asker.client.post(asker.exchange.url("online"), content=b"<a/>", headers=bearer).status_code == 500
    assert asker.client.post(asker.exchange.url("onprem"), content=b"<a/>", headers=bearer).status_code == 401


def test_a_token_ends_with_its_time_or_by_hand(asker: Asker) -> None:
    def status() -> int:
        return asker.client.post(asker.exchange.url("online"), content=b"<a/>", headers=bearer).status_code

    bearer = {**SOAP_TYPE, "Authorization": f"Bearer {token(asker).json()['access_token']}"}
    assert status() == 500
    asker.exchange.online.expire()
    assert status() == 401
    bearer = {**SOAP_TYPE, "Authorization": f"Bearer {token(asker).json()['access_token']}"}
    asker.exchange.online.clock = lambda: float("inf")
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
    asker: Asker, form: dict[str, str], status: int, error: str, number: str
) -> None:
    response = token(asker, **form)  # type: ignore[arg-type]
    assert response.status_code == status
    assert response.json()["error"] == error
    assert number in response.json()["error_description"]
    assert asker.exchange.online.issued == 0


def test_a_scripted_fault_spoils_the_answer_of_the_token_endpoint(asker: Asker) -> None:
    asker.exchange.faults.add("truncate", operation="token", bytes=10, times=1)
    assert len(token(asker).content) == 10
    assert token(asker).json()["token_type"] == "Bearer"
