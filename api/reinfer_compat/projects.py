"""Projects for Re:infer's client. Re:infer stores projects; this product derives them from its integrations and buckets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Max, Min
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import VIEW
from api.reinfer_compat.base import VendorView, ok
from integrations.models import Integration
from mailboxes.models import Bucket


class Projects(VendorView):
    """The projects."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """List the projects."""
        return ok(projects=[document(name, first, last) for name, (first, last) in sorted(known().items())])


class OneProject(VendorView):
    """A project."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str) -> Response:
        """Return the project."""
        projects = known(project=project)
        if project not in projects:
            raise Http404
        return ok(project=document(project, *projects[project]))


def known(**only: str) -> dict[str, tuple[datetime, datetime]]:
    """Return each project with the creation times of its oldest and its newest integration or bucket.

    Args:
        **only: Filter arguments for the queries of integrations and buckets, such as `project="bank"`.

    Returns:
        A mapping from project name to the oldest and the newest creation time, in UTC.
    """
    projects: dict[str, tuple[datetime, datetime]] = {}
    for model in (Integration, Bucket):
        rows = model._default_manager.filter(**only).order_by()
        for name, first, last in rows.values_list("project").annotate(Min("created_at"), Max("created_at")):
            before = projects.get(name, (first, last))
            projects[name] = (min(before[0], first), max(before[1], last))
    return projects


def document(name: str, first: datetime, last: datetime) -> dict[str, Any]:
    """Return a project in the format of the client.

    Args:
        name: The name of the project.
        first: Creation time of the oldest integration or bucket of the project.
        last: Creation time of the newest integration or bucket of the project.

    Returns:
        The document.
    """
    return {
        "name": name,
        "title": name,
        "description": "",
        "created_at": first.isoformat(),
        "updated_at": last.isoformat(),
    }
