"""Mailboxes on servers with other builds: the accepted EWS versions, and the errors for all other versions."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange.soap import MESSAGES, SOAP, TYPES
from tests.simulators.exchange.conftest import EwsClient

GET_INBOX = (
    "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
    '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder>'
)


def test_a_mailbox_on_an_older_server_refuses_a_newer_version(ews_client: EwsClient) -> None:
    assert ews_client.codes(GET_INBOX) == ["NoError"]
    ews_client.mailbox.server = "14.3.513.0"
    assert ews_client.codes(GET_INBOX) == ["ErrorInvalidSchemaVersionForMailboxVersion"]


@pytest.mark.parametrize("build", ["15.1.2507.39", "15.2.1544.4", "15.20.9245.11"])
def test_newer_servers_accept_every_version_and_return_their_build(ews_client: EwsClient, build: str) -> None:
    ews_client.mailbox.server = build
    version = etree.fromstring(ews_client.post(GET_INBOX).content).find(".//{*}ServerVersionInfo")
    assert version is not None
    assert f"{version.get('MajorVersion')}.{version.get('MinorVersion')}" == ".".join(build.split(".")[:2])


def test_a_front_end_server_refuses_a_version_that_is_too_new_for_it(ews_client: EwsClient) -> None:
    ews_client.exchange.on_premises_version = "14.3.513.0"
    assert ews_client.codes(GET_INBOX) == ["ErrorInvalidServerVersion"]


def test_an_unknown_version_is_refused(ews_client: EwsClient) -> None:
    envelope = f'<s:Header><t:RequestServerVersion Version="Exchange2030"/></s:Header><s:Body>{GET_INBOX}</s:Body>'
    names = f'xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"'
    answer = ews_client.send(f"<s:Envelope {names}>{envelope}</s:Envelope>".encode())
    assert answer.status_code == 500
    assert b"ErrorInvalidServerVersion" in answer.content
