"""The NTLM handshake is bound to the TLS channel, and an invalid challenge is an `IntegrationError`."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from integrations import errors
from integrations.ews.source import ExchangeSource
from simulators.exchange.signin import SCHEMES_ON_PREMISES, OnPremises
from simulators.http import Response
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, peer


def test_the_handshake_is_bound_to_the_certificate_of_the_server(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bindings: list[Any] = []
    stock = spnego.client

    def recording_client(*args: Any, **kwargs: Any) -> Any:
        bindings.append(kwargs["channel_bindings"])
        return stock(*args, **kwargs)

    monkeypatch.setattr(spnego, "client", recording_client)
    world.source().check()
    host, port = world.exchange.url().split("/")[2].split(":")
    served = x509.load_pem_x509_certificate(ssl.get_server_certificate((host, int(port))).encode())
    assert [bound.application_data for bound in bindings] == [
        b"tls-server-end-point:" + served.fingerprint(hashes.SHA256())
    ]


@pytest.fixture
def on_premises(world: World) -> Iterator[OnPremises]:
    """The sign-in settings of the Exchange simulator, which are restored after the test."""
    signing_in = world.exchange.on_premises
    certificate = signing_in.certificate
    yield signing_in
    signing_in.offers, signing_in.extended_protection, signing_in.certificate = SCHEMES_ON_PREMISES, False, certificate


@pytest.mark.parametrize("offers", [("Negotiate",), ("Negotiate", "NTLM"), ("NTLM",)], ids=" ".join)
def test_ntlm_signs_in_where_ntlm_or_negotiate_is_offered(
    world: World, on_premises: OnPremises, offers: tuple[str, ...]
) -> None:
    on_premises.offers, on_premises.extended_protection = offers, True
    world.source().check()


def test_extended_protection_refuses_a_handshake_through_a_proxy_that_terminates_tls(
    world: World, on_premises: OnPremises
) -> None:
    # The server behind the proxy shows another certificate than the one that the client sees.
    on_premises.extended_protection, on_premises.certificate = True, b"that of the server behind"
    with pytest.raises(errors.SignInRefused) as caught:
        world.source().check()
    assert "Extended Protection" in caught.value.detail


def _coded(raw: bytes) -> str:
    return "NTLM " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "challenge",
    [
        "NTLM",
        "NTLM !",
        "Negotiate",
        _coded(b""),
        _coded(b"NTLMSSP\0"),
        _coded(b"NTLMSSP\0\2\0\0\0"),
        _coded(b"NTLMSSP\0\2\0\0\0" + b"\xff" * 60),
        _coded(b"NTLMSSP\0\3\0\0\0" + bytes(60)),
        _coded(b"no such thing" * 100),
    ],
)
def test_an_invalid_challenge_is_an_integration_error(challenge: str) -> None:
    headers = (("WWW-Authenticate", challenge),)
    with (
        peer(lambda _: Response(401, headers=headers)) as peer_server,
        pytest.raises(errors.IntegrationError) as caught,
    ):
        ExchangeSource(replace(peer_server.settings, auth="ntlm"), ADDRESS).check()
    assert "s3cret" not in repr(caught.value)
