"""API tokens and what each may do. A token belongs to one user, and reaches all projects or only some."""

from __future__ import annotations

from dataclasses import dataclass, field

READ = "sources-read"
"""See sources and their comments."""
ADD_COMMENTS = "sources-add-comments"
"""Create and overwrite comments; the vendor's pages call it "Edit messages"."""
ADMIN = "sources-admin"
"""Create sources, and delete comments from them."""

EVERYTHING = frozenset({READ, ADD_COMMENTS, ADMIN})


@dataclass(frozen=True, slots=True)
class Token:
    secret: str = field(repr=False)
    permissions: frozenset[str] = EVERYTHING
    projects: frozenset[str] | None = None
    """The projects it reaches. None: all of them."""
    username: str = "exchange-integration"

    def may(self, permission: str, project: str | None = None) -> bool:
        return permission in self.permissions and self.reaches(project)

    def reaches(self, project: str | None) -> bool:
        return project is None or self.projects is None or project in self.projects
