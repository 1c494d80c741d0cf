"""Whose token it is, and the projects that it sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.answers import ok
from simulators.reinfer.contracts import EMPTY
from simulators.reinfer.names import id_of
from simulators.reinfer.tokens import READ
from simulators.reinfer.visit import Handler, Visit

LONG_AGO = "2026-01-05T09:00:00.000000+00:00"
"""When every user and project came to be."""


def current_user(visit: Visit) -> Response:
    """All that the vendor's client needs before any of its commands."""
    token = visit.token
    projects = {name: sorted(token.permissions) for name in sorted(visit.store.projects) if token.reaches(name)}
    user = {
        "id": id_of("user", token.username),
        "username": token.username,
        "email": f"{token.username}@tenant.example",
        "created": LONG_AGO,
        "global_permissions": [],
        "organisation_permissions": projects,
        "project_permissions": projects,
        "sso_global_permissions": [],
        "verified": True,
    }
    return ok(user=user)


def refresh_permissions(visit: Visit) -> Response:
    visit.json(EMPTY)
    return ok(permissions_refreshed=True)


def list_projects(visit: Visit) -> Response:
    return ok(projects=[_project(name) for name in sorted(visit.store.projects) if visit.token.reaches(name)])


def get_project(visit: Visit) -> Response:
    name = visit.project(visit.parts[0])
    visit.require(READ, name)
    return ok(project=_project(name))


def _project(name: str) -> dict[str, Any]:
    return {
        "id": id_of("project", name),
        "name": name,
        "title": name,
        "description": "",
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
    }


HANDLERS: Mapping[str, Handler] = {
    "current-user": current_user,
    "refresh-user-permissions": refresh_permissions,
    "list-projects": list_projects,
    "get-project": get_project,
}
