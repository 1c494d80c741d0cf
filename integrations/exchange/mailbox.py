"""exchangelib's Account for one mailbox, without the requests and the folder tree that come with it."""

from __future__ import annotations

from threading import Lock

from exchangelib import UTC, Account, Identity
from exchangelib.properties import DistinguishedFolderId, Mailbox

from integrations.exchange.protocol import ConnectionProtocol


class MailboxAccount(Account):
    """Only what the service classes ask an account for. Its `root` must never be touched: that walks the tree."""

    def __init__(self, address: str, access: str, protocol: ConnectionProtocol) -> None:
        self.access_type = access
        self.identity = Identity(primary_smtp_address=address)
        self.protocol = protocol
        self.default_timezone = UTC
        self.locale = None
        self.fullname = None
        self.ad_response = None
        self.affinity_cookie = None
        self._version = None
        self._version_lock = Lock()

    def distinguished(self, name: str) -> DistinguishedFolderId:
        """A well-known folder of this mailbox, by the name that is the same in every language."""
        return DistinguishedFolderId(id=name, mailbox=Mailbox(email_address=self.primary_smtp_address))
