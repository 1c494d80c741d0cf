"""exchangelib's Account for one mailbox, without the requests and the folder tree of the stock class."""

from __future__ import annotations

from threading import Lock

from exchangelib import UTC, Account, Identity
from exchangelib.properties import DistinguishedFolderId, Mailbox
from exchangelib.version import Version

from integrations.ews.protocol import ConnectionProtocol
from integrations.ews.versions import WorkingVersion, generation


class MailboxAccount(Account):
    """An account with only the attributes that the service classes use. Do not use `root`, which lists all folders."""

    def __init__(self, address: str, access: str, protocol: ConnectionProtocol) -> None:
        """Prepare the account without a request.

        Args:
            address: Email address of the mailbox.
            access: Access type: impersonation or delegate.
            protocol: Connection of the mailbox.
        """
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
        """The EWS version for requests: the version of the connection, or an older one that worked for this mailbox."""
        version: Version = super().version
        return version if self.working_version is None else self.working_version.applied(version)

    @version.setter
    def version(self, version: Version) -> None:
        """Store the version of the server, which exchangelib sets after each response."""
        if self.working_version is not None and self.working_version.server != generation(version.build):
            # The mailbox is on another server now, which may accept another version.
            self.working_version = None
        with self._version_lock:
            self._version = version

    @property
    def working_version(self) -> WorkingVersion | None:
        """The EWS version that worked for this mailbox, if the server rejected the version of the connection; else None."""
        return self.protocol.versions.get(self.primary_smtp_address)

    @working_version.setter
    def working_version(self, version: WorkingVersion | None) -> None:
        self.protocol.versions.set(self.primary_smtp_address, version)

    def distinguished(self, name: str) -> DistinguishedFolderId:
        """Return a well-known folder of this mailbox.

        Args:
            name: Name of the folder in EWS, which does not depend on the language of the mailbox.

        Returns:
            Folder id for a request.
        """
        return DistinguishedFolderId(id=name, mailbox=Mailbox(email_address=self.primary_smtp_address))
