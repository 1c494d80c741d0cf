"""The EWS versions that each Exchange build accepts.

A front-end server forwards a request to the server of the mailbox. If the server of the mailbox does not accept the EWS
version of the request, the response is an error from Microsoft's page on ResponseCode. A response contains the build of the
server of the mailbox.
"""

from __future__ import annotations

VERSIONS = (
    "Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013",
    "Exchange2013_SP1", "Exchange2015", "Exchange2015_SP1", "Exchange2016",
)  # fmt: skip
"""Oldest first."""
NEWEST = {"14.3": "Exchange2010_SP2", "15.0": "Exchange2013_SP1"}
"""The newest version that a server accepts, by the beginning of its build. Other servers accept all versions."""
DISTINGUISHED_SINCE = {"syncissues": "Exchange2013", "conversationhistory": "Exchange2013"}
"""The first EWS version whose schema has the distinguished folder, by the name of the folder."""


def newest(build: str) -> str:
    """The newest version that a server of this build accepts."""
    return NEWEST.get(".".join(build.split(".")[:2]), VERSIONS[-1])


def called(build: str) -> str:
    """The version in the response of a server. Servers that are not in `NEWEST` return a name that no request may use."""
    return NEWEST.get(".".join(build.split(".")[:2]), "V2017_07_11")
