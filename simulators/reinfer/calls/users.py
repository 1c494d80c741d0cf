"""Handlers that return the user of the token, and the projects for which the token is valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler
from simulators.reinfer.contracts import EMPTY
from simulators.reinfer.names import id_of
from simulators.reinfer.responses import ok
from simulators.reinfer.tokens import READ

LONG_AGO = "2026-01-05T09:00:00.000000+00:00"
"""The creation time of every user and project."""


def current_user(api_call: ApiCall) -> Response:
    """The user of the token. The vendor's client requests this user before each command."""
    token = api_call.token
    projects = {name: sorted(token.permissions) for name in sorted(api_call.store.projects) if token.reaches(name)}
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


def refresh_permissions(api_call: ApiCall) -> Response:
    api_call.json(EMPTY)
    return ok(permissions_refreshed=True)


def list_projects(api_call: ApiCall) -> Response:
    return ok(projects=[_project(name) for name in sorted(api_call.store.projects) if api_call.token.reaches(name)])


def get_project(api_call: ApiCall) -> Response:
    name = api_call.project(api_call.parts[0])
    api_call.require(READ, name)
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
