"""The handshake of NTLM: bound to the TLS channel, and an error of ours whatever the server says in it."""

from __future__ import annotations

import base64
import ssl
from dataclasses import replace
from typing import Any

import pytest
import requests_ntlm
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from integrations import errors
from integrations.exchange.source import ExchangeSource
from simulators.http import Response
from tests.unit.exchange.conftest import World
from tests.unit.exchange.peers import ADDRESS, peer


def test_the_handshake_is_bound_to_the_certificate_of_the_server(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bindings: list[Any] = []
    stock = spnego.client

    def watched(*args: Any, **kwargs: Any) -> Any:
        bindings.append(kwargs["channel_bindings"])
        return stock(*args, **kwargs)

    monkeypatch.setattr(requests_ntlm.requests_ntlm.spnego, "client", watched)
    world.source().check()
    host, port = world.exchange.url().split("/")[2].split(":")
    served = x509.load_pem_x509_certificate(ssl.get_server_certificate((host, int(port))).encode())
    assert [bound.application_data for bound in bindings] == [
        b"tls-server-end-point:" + served.fingerprint(hashes.SHA256())
    ]


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
def test_a_challenge_that_is_none_is_an_error_of_ours(challenge: str) -> None:
    headers = (("WWW-Authenticate", challenge),)
    with peer(lambda _: Response(401, headers=headers)) as made, pytest.raises(errors.IntegrationError) as caught:
        ExchangeSource(replace(made.settings, auth="ntlm"), ADDRESS).check()
    assert "s3cret" not in repr(caught.value)
