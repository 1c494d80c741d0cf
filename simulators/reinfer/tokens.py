"""API tokens and their permissions. A token belongs to one user, and is valid for all projects or for some projects."""

from __future__ import annotations

from dataclasses import dataclass, field

READ = "sources-read"
"""Read sources, their comments, attachments, datasets and projects."""
ADD_COMMENTS = "sources-add-comments"
"""Create and overwrite comments, and upload their attachments. The vendor's pages call this permission "Edit messages"."""
ADMIN = "sources-admin"
"""Create, change and delete sources, delete comments, and create datasets."""

READ_BUCKETS = "buckets-read"
"""Read buckets, their statistics and their sync states."""
READ_EMAILS = "buckets-items-read"
"""Read the emails of a bucket."""
APPEND_EMAILS = "buckets-append"
"""Put emails and their attachments into a bucket."""
WRITE_BUCKETS = "buckets-write"
"""Create, change and delete buckets, delete emails, write and delete sync states."""

EVERYTHING = frozenset({READ, ADD_COMMENTS, ADMIN, READ_BUCKETS, READ_EMAILS, APPEND_EMAILS, WRITE_BUCKETS})


@dataclass(frozen=True, slots=True)
class Token:
    secret: str = field(repr=False)
    permissions: frozenset[str] = EVERYTHING
    projects: frozenset[str] | None = None
    """The projects for which the token is valid. None: all projects."""
    username: str = "exchange-integration"

    def may(self, permission: str, project: str | None = None) -> bool:
        return permission in self.permissions and self.reaches(project)

    def reaches(self, project: str | None) -> bool:
        return project is None or self.projects is None or project in self.projects
