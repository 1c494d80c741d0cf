"""ews-java-api, Microsoft's client for Java, with NTLM and the EWS version of Exchange 2010."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.foreign.conftest import PASSWORD, Served
from tests.foreign.installing import jars_of, run
from tests.foreign.mailboxes import DESK, NOBODY, emails_of, folders_of, in_order
from tests.foreign.programs import run_program

pytestmark = pytest.mark.foreign

CLIENT = Path(__file__).parent / "ews_java_api"
TRUST_PASSWORD = "changeit"


@pytest.fixture(scope="module")
def command(served: Served, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Compile the client, and return the command that runs it. Its trust store contains the authority of the simulators."""
    libraries = f"{jars_of(CLIENT)}/*"
    folder = tmp_path_factory.mktemp("ews-java-api")
    run(["javac", "-Xlint:none", "-cp", libraries, "-d", folder, CLIENT / "Client.java"])
    authority = x509.load_pem_x509_certificate(served.ca_file.read_bytes())
    trusted = pkcs12.serialize_java_truststore(
        [pkcs12.PKCS12Certificate(authority, b"simulators")],
        serialization.BestAvailableEncryption(TRUST_PASSWORD.encode()),
    )
    (folder / "trust.p12").write_bytes(trusted)
    trust = [
        f"-Djavax.net.ssl.trustStore={folder / 'trust.p12'}",
        f"-Djavax.net.ssl.trustStorePassword={TRUST_PASSWORD}",
    ]
    return ["java", *trust, "-Djavax.net.ssl.trustStoreType=PKCS12", "-cp", f"{libraries}:{folder}", "Client"]


def run_client(served: Served, command: list[str], address: str = DESK, password: str = PASSWORD) -> dict[str, Any]:
    return run_program([*command, served.exchange.url(), "BANK", "svc", password, address], {})


def test_the_client_reads_folders_items_mime_and_attachments(served: Served, command: list[str]) -> None:
    read = run_client(served, command)
    mailbox = served.store[DESK]
    assert read["folders"] == folders_of(mailbox)
    assert in_order(read["emails"]) == emails_of(mailbox)
    assert read["unread"] == sum(not item.read for item in mailbox.folder("Inbox").items.values())


def test_a_missing_mailbox_is_reported(served: Served, command: list[str]) -> None:
    assert run_client(served, command, NOBODY) == {"error": "ErrorNonExistentMailbox"}


def test_a_wrong_password_is_refused(served: Served, command: list[str]) -> None:
    assert "401" in run_client(served, command, password="wrong")["error"]
