"""exchangelib's Account for one mailbox, without the requests and the folder tree that come with it."""

from __future__ import annotations

from threading import Lock

from exchangelib import UTC, Account, Identity
from exchangelib.properties import DistinguishedFolderId, Mailbox
from exchangelib.version import Version

from integrations.ews.protocol import ConnectionProtocol
from integrations.ews.versions import WorkingVersion, generation


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

    @property
    def version(self) -> Version:
        """In which its requests are made: that of the connection, or an older one that worked for this mailbox."""
        version: Version = super().version
        return version if self.settled is None else self.settled.applied(version)

    @version.setter
    def version(self, version: Version) -> None:
        """What an answer says of the server, which exchangelib tells after each of them."""
        if self.settled is not None and self.settled.server != generation(version.build):
            # The mailbox lies on another server now: see which version that one takes.
            self.settled = None
        with self._version_lock:
            self._version = version

    @property
    def settled(self) -> WorkingVersion | None:
        return self.protocol.versions.get(self.primary_smtp_address)

    @settled.setter
    def settled(self, settled: WorkingVersion | None) -> None:
        self.protocol.versions.set(self.primary_smtp_address, settled)

    def distinguished(self, name: str) -> DistinguishedFolderId:
        """A well-known folder of this mailbox, by the name that is the same in every language."""
        return DistinguishedFolderId(id=name, mailbox=Mailbox(email_address=self.primary_smtp_address))
