"""The way to Exchange: whom we trust, how we encrypt, and through which proxy we go."""

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


# ---- TLS ----------------------------------------------------------------------------------------------------------


def test_an_authority_that_nobody_named_is_not_trusted(world: World) -> None:
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


def test_a_bundle_in_the_environment_trusts_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.exchange.ca_file()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(file))
    assert isinstance(check(replace(world.settings(), ca_bundle="")), errors.CertificateUntrusted)
    file.unlink()


def test_a_server_older_than_the_least_tls_version_is_refused_and_one_of_that_version_is_not() -> None:
    def old(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    with peer(answers_of(Store([ADDRESS])), tls=old) as made:
        error = check(replace(made.settings, tls_minimum="1.3"))
        assert made.requests == []
        ExchangeSource(replace(made.settings, tls_minimum="1.2"), ADDRESS).check()
    assert isinstance(error, errors.TlsFailed)


def test_ciphers_that_the_server_does_not_know_are_refused_and_common_ones_are_not() -> None:
    def choosy(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")

    with peer(answers_of(Store([ADDRESS])), tls=choosy) as made:
        error = check(replace(made.settings, tls_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"))
        ExchangeSource(replace(made.settings, tls_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"), ADDRESS).check()
    assert isinstance(error, errors.TlsFailed)


def test_a_server_that_speaks_no_tls_is_told_as_that() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=speak, daemon=True).start()
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


# ---- the way ------------------------------------------------------------------------------------------------------


def test_a_closed_port_and_an_unknown_name_are_told_apart(world: World) -> None:
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
    assert set(proxy.asked) == {f"127.0.0.1:{port}"}
    assert world.operations()


def test_a_proxy_is_given_the_credentials_in_its_address(world: World) -> None:
    with connect_proxy() as proxy:
        world.source(replace(world.settings(), proxy=proxy.url.replace("//", "//me:pr0xy@"))).check()
    assert proxy.asked[0].endswith("Basic bWU6cHIweHk=")


@pytest.mark.parametrize("refusal", [b"403 Forbidden", b"407 Proxy Authentication Required", b"502 Bad Gateway"])
def test_a_proxy_that_lets_nobody_through_is_told_as_that(world: World, refusal: bytes) -> None:
    with connect_proxy(refusal) as proxy:
        error = check(replace(world.settings(), proxy=proxy.url.replace("//", "//me:pr0xy@")))
    assert "proxy" in str(error)
    assert "pr0xy" not in str(error)
    assert world.wire.seen == []


def test_a_proxy_that_is_not_there_is_told_as_that(world: World) -> None:
    error = check(replace(world.settings(), proxy="http://127.0.0.1:9"))
    assert isinstance(error, errors.ExchangeUnreachable)
    assert "proxy" in error.detail


def test_the_certificate_is_looked_at_behind_a_proxy_too(world: World) -> None:
    with connect_proxy() as proxy:
        error = check(replace(world.settings(), proxy=proxy.url, ca_bundle=""))
    assert isinstance(error, errors.CertificateUntrusted)
