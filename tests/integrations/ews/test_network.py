"""The network connection to Exchange: trusted certificate authorities, TLS settings and the proxy."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace

import pytest

from integrations import errors
from integrations.ews.connection import ConnectionSettings
from integrations.ews.source import ExchangeSource
from simulators.exchange import Account, ExchangeSimulator, Store
from simulators.http import Response
from tests.contract.source_rigs import settings_for
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, answers_of, peer
from tests.integrations.ews.proxies import connect_proxy


def check(settings: ConnectionSettings, address: str = ADDRESS) -> errors.IntegrationError:
    with pytest.raises(errors.IntegrationError) as caught:
        ExchangeSource(settings, address).check()
    return caught.value


# ---- TLS ------------------------------------------------------------------------------------------------------------


def test_an_unknown_certificate_authority_is_not_trusted(world: World) -> None:
    error = check(replace(world.settings(), ca_bundle=""))
    assert isinstance(error, errors.CertificateUntrusted)
    assert "not trusted here" in error.detail
    assert world.wire.seen == []


def test_the_authority_of_another_server_is_not_trusted_either(world: World) -> None:
    with peer(lambda _: Response()) as other:
        assert isinstance(
            check(replace(world.settings(), ca_bundle=other.settings.ca_bundle)), errors.CertificateUntrusted
        )


def test_a_certificate_for_another_name_is_refused() -> None:
    accounts = [Account("BANK\\svc", "s3cret")]
    with ExchangeSimulator(Store([ADDRESS]), accounts=accounts, names=("mail.elsewhere.example",)) as exchange:
        error = check(settings_for(exchange, "NTLM, impersonation"))
        assert exchange.requests == []
    assert isinstance(error, errors.CertificateUntrusted)
    assert error.detail == "it is for another name"


def test_a_ca_bundle_in_the_environment_is_ignored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.exchange.ca_file()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(file))
    assert isinstance(check(replace(world.settings(), ca_bundle="")), errors.CertificateUntrusted)
    file.unlink()


def test_a_server_below_the_minimum_tls_version_is_refused_and_one_with_that_version_is_not() -> None:
    def old(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    with peer(answers_of(Store([ADDRESS])), tls=old) as peer_server:
        error = check(replace(peer_server.settings, tls_minimum="1.3"))
        assert peer_server.requests == []
        ExchangeSource(replace(peer_server.settings, tls_minimum="1.2"), ADDRESS).check()
    assert isinstance(error, errors.TlsFailed)


def test_a_connection_needs_a_common_cipher() -> None:
    def choosy(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")

    with peer(answers_of(Store([ADDRESS])), tls=choosy) as peer_server:
        error = check(replace(peer_server.settings, tls_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"))
        ExchangeSource(replace(peer_server.settings, tls_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"), ADDRESS).check()
    assert isinstance(error, errors.TlsFailed)


def test_a_server_without_tls_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def respond() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=respond, daemon=True).start()
        settings = ConnectionSettings(
            "plain",
            f"https://127.0.0.1:{port}/EWS/Exchange.asmx",
            "basic",
            "impersonation",
            username="svc",
            password="s3cret",
            deadline=5,
        )
        assert isinstance(check(replace(settings, build_version="15.1.2507.39")), errors.TlsFailed)


# ---- network and proxy ----------------------------------------------------------------------------------------------


def test_a_closed_port_and_an_unknown_name_are_distinguished(world: World) -> None:
    for endpoint, detail in (
        ("https://127.0.0.1:9/EWS/Exchange.asmx", "the port is closed"),
        ("https://mail.nowhere.invalid/EWS/Exchange.asmx", "its name is not known"),
    ):
        error = check(replace(world.settings(), endpoint=endpoint))
        assert isinstance(error, errors.ExchangeUnreachable)
        assert error.detail == detail


@pytest.mark.parametrize("way", ["NTLM, impersonation", "OAuth, impersonation"])
def test_all_traffic_goes_through_the_proxy_that_was_set(world: World, way: str) -> None:
    with connect_proxy() as proxy:
        settings = replace(world.settings(way), proxy=proxy.url)
        source = world.source(settings)
        source.check()
        source.folders(None)
    port = world.exchange.url("online" if way.startswith("OAuth") else "onprem").split(":")[2].partition("/")[0]
    assert set(proxy.targets) == {f"127.0.0.1:{port}"}
    assert world.operations()


def test_a_proxy_receives_the_credentials_in_its_address(world: World) -> None:
    with connect_proxy() as proxy:
        world.source(replace(world.settings(), proxy=proxy.url.replace("//", "//me:pr0xy@"))).check()
    assert proxy.targets[0].endswith("Basic bWU6cHIweHk=")


@pytest.mark.parametrize("refusal", [b"403 Forbidden", b"407 Proxy Authentication Required", b"502 Bad Gateway"])
def test_a_proxy_that_refuses_is_reported(world: World, refusal: bytes) -> None:
    with connect_proxy(refusal) as proxy:
        error = check(replace(world.settings(), proxy=proxy.url.replace("//", "//me:pr0xy@")))
    assert "proxy" in error.detail
    assert "pr0xy" not in str(error)
    assert world.wire.seen == []


def test_an_unreachable_proxy_is_reported(world: World) -> None:
    error = check(replace(world.settings(), proxy="http://127.0.0.1:9"))
    assert isinstance(error, errors.ExchangeUnreachable)
    assert "proxy" in error.detail


def test_the_certificate_is_also_checked_behind_a_proxy(world: World) -> None:
    with connect_proxy() as proxy:
        error = check(replace(world.settings(), proxy=proxy.url, ca_bundle=""))
    assert isinstance(error, errors.CertificateUntrusted)
