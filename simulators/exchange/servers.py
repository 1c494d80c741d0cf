"""The servers that a mailbox can lie on, and the versions of EWS that each of them takes.

A front end passes a request on to the server of the mailbox. An older one refuses a version that it does not know, by the code
that Microsoft's page on ResponseCode gives for it; the answer that it does give tells its own build.
"""

from __future__ import annotations

VERSIONS = (
    "Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013",
    "Exchange2013_SP1", "Exchange2015", "Exchange2015_SP1", "Exchange2016",
)  # fmt: skip
"""Oldest first."""
NEWEST = {"14.3": "Exchange2010_SP2", "15.0": "Exchange2013_SP1"}
"""What a server takes at most, by the beginning of its build; all others take everything."""
DISTINGUISHED_SINCE = {"syncissues": "Exchange2013", "conversationhistory": "Exchange2013"}
"""Since when the schema has these names of folders."""


def newest(build: str) -> str:
    """The newest version that a server of this build takes."""
    return NEWEST.get(".".join(build.split(".")[:2]), VERSIONS[-1])


def called(build: str) -> str:
    """How the server calls its version in an answer: newer ones use names of their own, which no request may have."""
    return NEWEST.get(".".join(build.split(".")[:2]), "V2017_07_11")
