"""Process of the benchmark `fetch`: fetches the same emails first with plain exchangelib and then with the EWS adapter.

Input and output are JSON on the standard streams.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import requests
from exchangelib import IMPERSONATION, Account, Configuration, Credentials
from exchangelib.protocol import BaseProtocol

from bench.account import ADDRESS, PASSWORD, USERNAME
from integrations.ews.connection import ConnectionSettings
from integrations.ews.source import ExchangeSource
from integrations.messages import Change, FolderKind

BATCH = 50


def main() -> None:
    given = json.loads(sys.stdin.read())
    settings = ConnectionSettings(
        "bench",
        given["exchange"],
        "ntlm",
        "impersonation",
        username=USERNAME,
        password=PASSWORD,
        ca_bundle=given["ca"],
        build_version="15.1.2507.39",
    )
    source = ExchangeSource(settings, ADDRESS)
    inbox = next(folder for folder in source.folders(None).changed if folder.kind is FolderKind.INBOX)
    changes = [change for page in source.changes(inbox.id, None) for change in page.changes]
    account = _stock_account(given)
    speeds = {
        "stock": _speed(changes, lambda batch: _stock(account, batch)),
        "ours": _speed(changes, lambda batch: list(source.fetch(batch))),
    }
    print(json.dumps(speeds))


def _speed(changes: list[Change], fetch: Callable[[list[Change]], list[Any]]) -> float:
    """Return the emails fetched per second: the best of three runs."""
    best = 0.0
    for _ in range(3):
        started = time.monotonic()
        fetched = sum(len(fetch(changes[at : at + BATCH])) for at in range(0, len(changes), BATCH))
        best = max(best, fetched / (time.monotonic() - started))
    return best


def _stock(account: Account, batch: list[Change]) -> list[Any]:
    ids = [(change.item_id, change.change_key) for change in batch]
    return list(account.fetch(ids, only_fields=["mime_content"], chunk_size=BATCH))


def _stock_account(given: dict[str, str]) -> Account:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
        file.write(given["ca"])

    class Trusting(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, file.name, cert)  # type: ignore[no-untyped-call]

        def get_connection_with_tls_context(
            self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            return super().get_connection_with_tls_context(request, file.name, proxies, cert)

    BaseProtocol.HTTP_ADAPTER_CLS = Trusting
    config = Configuration(
        service_endpoint=given["exchange"], credentials=Credentials(USERNAME, PASSWORD), auth_type="NTLM"
    )
    return Account(ADDRESS, config=config, access_type=IMPERSONATION)


if __name__ == "__main__":
    main()
