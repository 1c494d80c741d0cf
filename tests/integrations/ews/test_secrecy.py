"""No secret and no text of an email is written to a log, an error or the repr of settings."""

from __future__ import annotations

import base64
import logging
import traceback
from dataclasses import replace

import pytest

from integrations.errors import IntegrationError, SignInRefused
from integrations.ews.connection import connection
from integrations.ews.source import ExchangeSource
from simulators.http import Response
from tests.contract.source_rigs import WAYS
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, peer

LIBRARIES = (
    "exchangelib",
    "exchangelib.util.xml",
    "exchangelib.fields",
    "requests_ntlm",
    "spnego",
    "oauthlib",
    "requests_oauthlib",
)
MARK = "Zanzibar"
"""A word in the subject and body of every email of these tests."""
FAULTS: tuple[dict[str, object], ...] = (
    {"effect": "truncate", "bytes": 900},
    {"effect": "drop", "bytes": 100},
    {"effect": "status", "status": 500, "body": f"<html>{MARK}</html>"},
    {"effect": "fault", "code": "ErrorInternalServerError"},
    {"effect": "unauthorized"},
    {"effect": "busy"},
)


def run_with_faults(world: World, way: str) -> list[IntegrationError]:
    """Run all operations, each with every fault and with a broken item, and return the errors."""
    settings = world.settings(way)
    item = world.deliver(f"{MARK} one")
    world.deliver(f"{MARK} two")
    raised = []
    source = world.source(settings)
    for fault in ({}, *FAULTS):
        for operation in ("token", "GetFolder", "SyncFolderHierarchy", "SyncFolderItems", "GetItem"):
            world.exchange.faults.clear()
            world.exchange.faults.add("item", item_id=item.id, code="broken-base64")
            if fault:
                world.exchange.faults.add(operation=operation, **fault)  # type: ignore[arg-type]
            if operation == "token":
                world.exchange.online.expire()
            try:
                source.check()
                source.folders(None)
                list(source.fetch(world.listed(source)))
            except IntegrationError as error:
                raised.append(error)
    return raised


@pytest.mark.parametrize("way", WAYS)
def test_no_log_record_contains_a_secret_or_a_word_of_an_email(
    world: World, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    errors = run_with_faults(world, way)
    wrong = replace(world.settings(way), password="wr0ng-s3cret", client_secret="wr0ng-s3cret")
    with pytest.raises(IntegrationError):
        world.source(wrong).check()
    tokens = [word for request, _ in world.wire.seen for word in request.headers.get("Authorization", "").split()[1:]]
    written = "\n".join(f"{record.getMessage()} {record.exc_text or ''} {record.args}" for record in caplog.records)
    assert errors
    for secret in ("s3cret", MARK, *(token for token in tokens if len(token) > 20)):
        assert secret not in written


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_loggers_that_print_whole_values_are_silent(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.CRITICAL)


@pytest.mark.parametrize("way", WAYS)
def test_no_error_contains_a_secret_or_a_word_of_an_email(world: World, way: str) -> None:
    errors = run_with_faults(world, way)
    assert errors
    for error in errors:
        shown = f"{error} {error!r} {error.detail}"
        assert MARK not in shown
        assert "s3cret" not in "".join(traceback.format_exception(error)) + shown


def test_a_password_outside_latin_1_is_sent_and_is_in_no_error() -> None:
    password = "s3cr\u20act"
    with peer(lambda _: Response(401)) as made, pytest.raises(SignInRefused) as caught:
        ExchangeSource(replace(made.settings, password=password), ADDRESS).check()
    (scheme, sent) = made.requests[0].headers["Authorization"].split()
    assert (scheme, base64.b64decode(sent).decode()) == ("Basic", f"svc:{password}")
    assert "s3cr" not in "".join(traceback.format_exception(caught.value))


def test_settings_and_connections_print_without_their_secrets(world: World) -> None:
    for way in WAYS:
        settings = replace(world.settings(way), proxy="http://user:pr0xy@proxy.example")
        made = connection(settings)
        for shown in (repr(settings), str(settings), repr(made), str(made), repr(made.credentials), repr(made.config)):
            assert "s3cret" not in shown
            assert "pr0xy" not in shown
