"""The version of EWS that a mailbox is asked in. It may lie on an older server than the one that answers for all of them.

Exchange then refuses the version, and the next older one is tried, as exchangelib does as it comes. What worked is remembered
for this mailbox alone: its neighbours are asked in the version of the connection.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass

from exchangelib.version import VERSIONS, Build, Version

API_VERSIONS = sorted({api_version for _, api_version, _ in VERSIONS})
"""Oldest first: they compare as their names do."""
MOST_REMEMBERED = 10_000
WRITTEN = re.compile(r"(\S+)(?: (\S+))?")


def to_try(first: str) -> list[str]:
    """`first`, then the older ones, newest first. Then newer ones: some requests are refused for being too old."""
    older = [version for version in reversed(API_VERSIONS) if version < first]
    return [first, *older, *(version for version in API_VERSIONS if version > first)]


@dataclass(frozen=True, slots=True)
class WorkingVersion:
    """The version that worked for a mailbox where that of its connection did not."""

    api_version: str
    server: str
    """Of which generation the server called itself then, such as `14.3`. From another one on the version is tried anew."""

    def __str__(self) -> str:
        return f"{self.api_version} {self.server}".strip()

    @classmethod
    def read(cls, written: str) -> WorkingVersion | None:
        """From what `str` made of it. None where it is none."""
        found = WRITTEN.fullmatch(written)
        return cls(found[1], found[2] or "") if found and found[1] in API_VERSIONS else None

    def applied(self, version: Version) -> Version:
        """`version`, and no newer one than this."""
        return Version(version.build, min(version.api_version, self.api_version))


def generation(build: Build | None) -> str:
    """Major and minor number: what differs between generations of Exchange, and not from one update to the next."""
    return f"{build.major_version}.{build.minor_version}" if build else ""


class Versions:
    """What worked, by address, of one connection. Forgets the oldest."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, WorkingVersion] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, address: str) -> WorkingVersion | None:
        with self._lock:
            return self._known.get(address.casefold())

    def set(self, address: str, settled: WorkingVersion | None) -> None:
        with self._lock:
            self._known.pop(address.casefold(), None)
            if settled is not None:
                self._known[address.casefold()] = settled
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
