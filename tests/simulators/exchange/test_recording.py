"""Names and contents of the files in which a simulator records requests and responses."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import httpx

from integrations.ews.connection import close_all
from integrations.ews.source import ExchangeSource
from simulators.exchange import Account, Application, ExchangeSimulator, Store, mail_of
from simulators.recording import Recorder
from tests.contract.source_rigs import settings_for
from tests.mails import mail
from tests.simulators.exchange.conftest import ADDRESS


def test_requests_and_responses_are_kept_decoded_in_order_and_without_secrets(tmp_path: Path) -> None:
    store = Store([ADDRESS])
    for number in range(20):
        store[ADDRESS].deliver(mail_of(mail(str(number))))
    accounts, applications = [Account("BANK\\svc", "s3cret")], [Application("tenant", "client", "s3cret")]
    folder = tmp_path / "exchange"
    with ExchangeSimulator(store, accounts=accounts, applications=applications, recorder=Recorder(folder)) as exchange:
        for way in ("OAuth, impersonation", "NTLM, impersonation"):
            source = ExchangeSource(replace(settings_for(exchange, way), key="recorded"), ADDRESS)
            list(source.changes(store[ADDRESS].distinguished("inbox").id, None))  # type: ignore[arg-type]
        close_all()
        with httpx.Client(verify=ssl.create_default_context(cadata=exchange.ca), trust_env=False) as client:
            client.get(exchange.url().replace("EWS/Exchange.asmx", "x/y"))
    assert [path.name for path in sorted(folder.iterdir())] == [
        "000001-openid-configuration-request.txt",
        "000001-openid-configuration-response-200.json",
        "000002-token-request.txt",
        "000002-token-response-200.json",
        "000003-SyncFolderItems-request.xml",
        "000003-SyncFolderItems-response.xml",
        "000004-unauthorized-request.xml",
        "000004-unauthorized-response-401.txt",
        "000005-unauthorized-request.xml",
        "000005-unauthorized-response-401.txt",
        "000006-SyncFolderItems-request.xml",
        "000006-SyncFolderItems-response.xml",
        "000007-not-found-request.txt",
        "000007-not-found-response-404.txt",
    ]
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"s3cret" not in kept
    assert b'"access_token": "***"' in kept
    assert (folder / "000003-SyncFolderItems-response.xml").read_bytes().startswith(b"<?xml")
