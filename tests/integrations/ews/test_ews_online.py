"""The error for a 403 of Exchange Online names Graph and the allow list of applications.

A server on premises has no such list, so the error for its 403 names neither.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from integrations import errors
from integrations.ews.source import ExchangeSource
from simulators.exchange import Account, ExchangeSimulator, Store
from tests.contract.source_rigs import settings_for
from tests.integrations.ews.peers import ADDRESS
from tests.integrations.ews.proxies import connect_proxy

ONLINE = "outlook.office365.com"


def refusal(host: str) -> errors.IntegrationError:
    accounts = [Account("BANK\\svc", "s3cret")]
    with ExchangeSimulator(Store([ADDRESS]), accounts=accounts, names=(host, "127.0.0.1")) as exchange:
        exchange.faults.add("disabled")
        settings = settings_for(exchange, "NTLM, impersonation")
        port = urlsplit(settings.endpoint).port
        with connect_proxy(to=("127.0.0.1", port)) as proxy:
            there = replace(settings, endpoint=f"https://{host}/EWS/Exchange.asmx", proxy=proxy.url)
            with pytest.raises(errors.IntegrationError) as caught:
                ExchangeSource(there, ADDRESS).check()
    return caught.value


def test_the_error_for_a_403_of_exchange_online_names_graph_and_the_allow_list() -> None:
    error = refusal(ONLINE)
    assert type(error) is errors.EwsBlockedOnline
    assert error.scope is errors.Scope.CONNECTION
    assert "Switch to Graph" in str(error)
    assert "-EwsAllowedAppIDs" in str(error)


def test_the_error_for_a_403_of_exchange_on_premises_names_neither_graph_nor_the_allow_list() -> None:
    error = refusal("mail.bank.example")
    assert type(error) is errors.EwsDisabled
    assert "Graph" not in str(error)
    assert "-EwsAllowedAppIDs" not in str(error)
    assert "Get-CASMailbox" in str(error)
