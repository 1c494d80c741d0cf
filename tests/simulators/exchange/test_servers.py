"""Mailboxes on servers of their own: which versions of EWS these take, and how they refuse the others."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange.soap import MESSAGES, SOAP, TYPES
from tests.simulators.exchange.conftest import Asker

GET_INBOX = (
    "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
    '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder>'
)


def test_a_mailbox_on_an_older_server_refuses_what_is_newer(asker: Asker) -> None:
    assert asker.codes(GET_INBOX) == ["NoError"]
    asker.mailbox.server = "14.3.513.0"
    assert asker.codes(GET_INBOX) == ["ErrorInvalidSchemaVersionForMailboxVersion"]


@pytest.mark.parametrize("build", ["15.1.2507.39", "15.2.1544.4", "15.20.9245.11"])
def test_newer_servers_take_every_version_and_tell_their_own_build(asker: Asker, build: str) -> None:
    asker.mailbox.server = build
    told = etree.fromstring(asker.post(GET_INBOX).content).find(".//{*}ServerVersionInfo")
    assert told is not None
    assert f"{told.get('MajorVersion')}.{told.get('MinorVersion')}" == ".".join(build.split(".")[:2])


def test_a_front_end_refuses_a_version_that_it_does_not_know_itself(asker: Asker) -> None:
    asker.exchange.on_premises_version = "14.3.513.0"
    assert asker.codes(GET_INBOX) == ["ErrorInvalidServerVersion"]


def test_a_version_that_nobody_knows_is_refused(asker: Asker) -> None:
    envelope = f'<s:Header><t:RequestServerVersion Version="Exchange2030"/></s:Header><s:Body>{GET_INBOX}</s:Body>'
    names = f'xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"'
    answer = asker.send(f"<s:Envelope {names}>{envelope}</s:Envelope>".encode())
    assert answer.status_code == 500
    assert b"ErrorInvalidServerVersion" in answer.content
