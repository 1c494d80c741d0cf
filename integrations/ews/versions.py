"""The EWS version for requests to a mailbox whose server is older than the server of the connection.

For such a mailbox, Exchange rejects the version of the connection. Then other versions are tried: first older, then newer
ones. The version that works is remembered for this mailbox only. Other mailboxes use the version of the connection.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass

from exchangelib.version import VERSIONS, Build, Version

API_VERSIONS = sorted({api_version for _, api_version, _ in VERSIONS})
"""EWS versions, oldest first. Their names sort by age."""
MAX_REMEMBERED = 10_000
"""Maximum number of mailboxes per connection with a remembered version."""
STORED = re.compile(r"(\S+)(?: (\S+))?")
"""Stored form of a `WorkingVersion`."""


def versions_to_try(first: str) -> list[str]:
    """Return the EWS versions to try for a request, in order.

    Args:
        first: Version to try first: the version of the connection, or the remembered version of the mailbox.

    Returns:
        `first`, then older versions from new to old, then newer versions, because a server may also reject a version
        as too old.
    """
    older = [version for version in reversed(API_VERSIONS) if version < first]
    return [first, *older, *(version for version in API_VERSIONS if version > first)]


@dataclass(frozen=True, slots=True)
class WorkingVersion:
    """The EWS version that worked for a mailbox after the server rejected the version of the connection.

    Attributes:
        api_version: EWS version, such as `Exchange2010_SP2`.
        server: Generation of the server at that time, such as `14.3`. When it changes, the version is determined anew.
    """

    api_version: str
    server: str

    def __str__(self) -> str:
        return f"{self.api_version} {self.server}".strip()

    @classmethod
    def read(cls, stored: str) -> WorkingVersion | None:
        """Return a version from its stored form.

        Args:
            stored: Result of `str`.

        Returns:
            The version; None if the text is not a stored version, or its EWS version is not known.
        """
        match = STORED.fullmatch(stored)
        return cls(match[1], match[2] or "") if match and match[1] in API_VERSIONS else None

    def applied(self, version: Version) -> Version:
        """Return a version that is not newer than this one.

        Args:
            version: Version of the connection.

        Returns:
            The same build, with the older of the two EWS versions.
        """
        return Version(version.build, min(version.api_version, self.api_version))


def generation(build: Build | None) -> str:
    """Return major and minor number of a build, which differ between generations of Exchange but not between updates.

    Args:
        build: Build of the server.

    Returns:
        Text such as `14.3`. Blank without a build.
    """
    return f"{build.major_version}.{build.minor_version}" if build else ""


class Versions:
    """Working versions of one connection by email address: the `MAX_REMEMBERED` that were stored last."""

    def __init__(self) -> None:
        """Start without any version."""
        self._versions: OrderedDict[str, WorkingVersion] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, address: str) -> WorkingVersion | None:
        """Return the version of a mailbox.

        Args:
            address: Email address of the mailbox.

        Returns:
            The version; None if none is stored for the mailbox.
        """
        with self._lock:
            return self._versions.get(address.casefold())

    def set(self, address: str, version: WorkingVersion | None) -> None:
        """Store the version of a mailbox.

        Args:
            address: Email address of the mailbox.
            version: The version; None to remove the stored one.
        """
        with self._lock:
            self._versions.pop(address.casefold(), None)
            if version is not None:
                self._versions[address.casefold()] = version
            while len(self._versions) > MAX_REMEMBERED:
                self._versions.popitem(last=False)
