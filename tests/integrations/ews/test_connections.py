"""Connections: one per integration and process, a session pool that loses no slot, and shared tokens."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import pytest

from integrations.errors import (
    ExchangeBusy,
    IntegrationError,
    SettingsWrong,
    SignInRefused,
    TokenEndpointFailed,
    VersionRefused,
)
from integrations.ews.connection import ConnectionSettings, connection
from integrations.ews.protocol import MAX_CONNECTIONS
from integrations.ews.source import ExchangeSource
from integrations.network import connection_cache
from tests.integrations.ews.conftest import World

ONLINE = "OAuth, impersonation"


def test_equal_settings_share_a_connection_and_a_changed_secret_opens_a_new_one(world: World) -> None:
    settings = world.settings()
    first = connection(settings)
    assert connection(replace(settings)) is first
    changed = connection(replace(settings, password="new"))
    assert changed is not first
    assert connection(settings) is not changed


def test_a_connection_stays_the_same_after_its_token_was_used(world: World) -> None:
    settings = world.settings(ONLINE)
    first = connection(settings)
    for _ in range(5):
        world.source(replace(settings)).check()
    assert connection(replace(settings)) is first
    assert world.wire.labels().count("token") == 1


def test_integrations_do_not_share_a_connection_even_when_their_settings_agree(world: World) -> None:
    assert connection(world.settings()) is not connection(replace(world.settings(), key="another"))


def test_above_the_limit_the_least_recently_used_connection_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_cache, "MAX_OPEN", 3)
    made = {key: connection(replace(world.settings(), key=key)) for key in "abc"}
    connection(replace(world.settings(), key="a"))
    connection(replace(world.settings(), key="d"))
    assert connection(replace(world.settings(), key="a")) is made["a"]
    assert connection(replace(world.settings(), key="b")) is not made["b"]


def test_a_forked_process_opens_its_own_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = connection(world.settings())
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        child = connection(world.settings())
        assert child is not parent
    parent.close()


# ---- tokens -------------------------------------------------------------------------------------------------------


def test_one_token_serves_many_mailboxes(world: World) -> None:
    settings = world.settings(ONLINE)
    world.source(settings).check()
    for _ in range(10):
        world.source(settings).folders(None)
    assert world.wire.labels().count("token") == 1


def test_an_expired_token_is_replaced_once(world: World) -> None:
    source = world.source(world.settings(ONLINE))
    source.check()
    world.exchange.online.expire()
    world.forget()
    source.check()
    source.check()
    assert world.wire.labels() == ["unauthorized", "openid-configuration", "token", "GetFolder", "GetFolder"]


def test_an_expiring_token_is_replaced_before_exchange_refuses_it(world: World) -> None:
    world.exchange.online.lifetime = 1
    source = world.source(world.settings(ONLINE))
    source.check()
    time.sleep(0.6)  # A token with a short lifetime is replaced after half of its lifetime.
    world.exchange.online.lifetime = 3600
    world.forget()
    source.check()
    source.check()
    assert world.wire.labels() == ["openid-configuration", "token", "GetFolder", "GetFolder"]


def test_a_token_that_is_issued_expired_is_a_failure_after_one_request(world: World) -> None:
    world.exchange.online.lifetime = -1
    with pytest.raises(TokenEndpointFailed):
        world.source(world.settings(ONLINE)).check()
    assert world.wire.labels() == ["openid-configuration", "token"]


# ---- the pool -----------------------------------------------------------------------------------------------------


def assert_all_slots_work(world: World, settings: ConnectionSettings) -> None:
    """Run as many calls at the same time as the pool has slots. If the pool has lost all of its slots, the calls fail."""
    world.deliver("a")
    faults: list[IntegrationError] = []
    barrier = threading.Barrier(MAX_CONNECTIONS)

    def work() -> None:
        try:
            barrier.wait(10)
            world.source(settings).check()
        except IntegrationError as error:
            faults.append(error)

    world.exchange.faults.add("hang", operation="GetFolder", seconds=0.2, times=MAX_CONNECTIONS)
    threads = [threading.Thread(target=work) for _ in range(MAX_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert faults == []
    assert connection(settings).session_pool_size <= MAX_CONNECTIONS


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "operation": "token", "status": 500},
        {"effect": "drop", "bytes": 0},
        {"effect": "drop", "bytes": 30},
        {"effect": "status", "status": 502},
        {"effect": "busy"},
        {"effect": "truncate", "bytes": 60},
        {"effect": "unauthorized", "operation": "GetFolder"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
@pytest.mark.parametrize("way", ["NTLM, impersonation", ONLINE])
def test_the_pool_loses_no_slot_after_failures(world: World, fault: dict[str, object], way: str) -> None:
    settings = world.settings(way)
    world.exchange.faults.add(**fault)  # type: ignore[arg-type]
    for _ in range(2 * MAX_CONNECTIONS + 1):
        if fault.get("operation") == "token" and way != ONLINE:
            break
        with pytest.raises(IntegrationError):
            world.source(settings).check()
    world.exchange.faults.clear()
    assert_all_slots_work(world, settings)


def test_the_pool_is_complete_after_failures_of_the_token_service(world: World) -> None:
    settings = world.settings(ONLINE)
    source = world.source(settings)
    source.check()
    world.exchange.online.expire()
    world.exchange.faults.add("status", operation="token", status=503)
    for _ in range(10):
        with pytest.raises(TokenEndpointFailed):
            source.check()
    world.exchange.faults.clear()
    assert_all_slots_work(world, settings)


def test_a_call_waits_for_a_free_slot_until_the_deadline(world: World) -> None:
    settings = replace(world.settings(), deadline=0.2)
    protocol = connection(settings)
    sessions = [protocol.get_session() for _ in range(MAX_CONNECTIONS)]
    with pytest.raises(ExchangeBusy):
        world.source(settings).check()
    for session in sessions:
        protocol.release_session(session)
    world.source(replace(world.settings())).check()


# ---- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"endpoint": "http://mail.example/EWS/Exchange.asmx"}, "endpoint"),
        ({"endpoint": "mail.example"}, "endpoint"),
        ({"endpoint": "https://[::1"}, "endpoint"),
        ({"endpoint": "https://mail.example:99999/"}, "endpoint"),
        ({"endpoint": "https://mail bank.example/EWS/Exchange.asmx"}, "endpoint"),
        ({"endpoint": f"https://{'m' * 64}.example/EWS/Exchange.asmx"}, "endpoint"),
        ({"auth": "kerberos"}, "sign-in"),
        ({"user_agent": "caf\u00e9"}, "user agent"),
        ({"user_agent": "two\nlines"}, "user agent"),
        ({"proxy": "socks5://proxy.example"}, "proxy"),
        ({"proxy": f"http://{'p' * 64}.example:3128"}, "proxy"),
        ({"build_version": "99.1"}, "build version"),
        ({"build_version": "fifteen"}, "build version"),
        ({"tls_minimum": "3.0"}, "minimum TLS version"),
        ({"tls_ciphers": "no-such-cipher"}, "TLS cipher list"),
        ({"ca_bundle": "no certificate"}, "CA bundle"),
        ({"ca_bundle": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "CA bundle"),
        ({"password": ""}, "password"),
        ({"auth": "oauth2"}, "tenant ID"),
    ],
)
def test_an_invalid_setting_is_named_before_any_request(world: World, change: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsWrong) as caught:
        world.source(replace(world.settings(), **change))  # type: ignore[arg-type]
    assert named in caught.value.detail
    assert world.wire.seen == []


def test_a_build_version_that_exchange_rejects_is_reported(world: World) -> None:
    world.exchange.faults.add("fault", code="ErrorInvalidServerVersion")
    with pytest.raises(VersionRefused) as caught:
        world.source().check()
    assert "build version" in str(caught.value)


@pytest.mark.parametrize("way", ["NTLM, impersonation", "Basic, impersonation", ONLINE])
def test_a_wrong_password_causes_one_refused_sign_in_per_call(world: World, way: str) -> None:
    settings = world.settings(way)
    secret = "client_secret" if way == ONLINE else "password"
    source = world.source(replace(settings, **{secret: "wrong"}))  # type: ignore[arg-type]
    before = refused_sign_ins(world)
    with pytest.raises(SignInRefused):
        source.check()
    assert refused_sign_ins(world) - before == 1


def refused_sign_ins(world: World) -> int:
    return sum(world.exchange.on_premises.refused.values()) + sum(world.exchange.online.refused.values())


@pytest.mark.parametrize("way", ["NTLM, impersonation", ONLINE])
def test_a_fresh_source_signs_in_again(world: World, way: str) -> None:
    settings = world.settings(way)
    world.source(settings).check()
    world.forget()
    world.source(settings).check()
    assert world.wire.labels() == ["GetFolder"]
    world.forget()
    ExchangeSource(settings, world.mailbox.address, fresh=True).check()
    assert {"unauthorized", "token"} & set(world.wire.labels())


def test_many_threads_that_wait_for_a_token_cause_one_refused_sign_in(world: World) -> None:
    settings = replace(world.settings(ONLINE), client_secret="wrong")
    before = refused_sign_ins(world)
    world.exchange.faults.add("hang", operation="token", seconds=1, times=1)
    protocol = connection(settings)
    kinds: list[str] = []

    def request_token() -> None:
        try:
            protocol.credentials.sign_in.token(20)
        except SignInRefused as error:
            kinds.append(error.kind)

    threads = [threading.Thread(target=request_token) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds == ["client_secret_wrong"] * 8
    assert refused_sign_ins(world) - before == 1


def test_a_corrected_password_works_at_once(world: World) -> None:
    with pytest.raises(SignInRefused):
        world.source(replace(world.settings(), password="wrong")).check()
    world.source(world.settings()).check()
