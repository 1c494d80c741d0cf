"""Projects for the vendor's client: those that integrations and buckets here belong to. They live in Re:infer, not here."""

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
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        return ok(projects=[document(name, first, last) for name, (first, last) in sorted(known().items())])


class OneProject(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str) -> Response:
        found = known(project=project)
        if project not in found:
            raise Http404
        return ok(project=document(project, *found[project]))


def known(**only: str) -> dict[str, tuple[datetime, datetime]]:
    """When the first and the last thing of each project was made."""
    found: dict[str, tuple[datetime, datetime]] = {}
    for model in (Integration, Bucket):
        rows = model._default_manager.filter(**only).order_by()
        for name, first, last in rows.values_list("project").annotate(Min("created_at"), Max("created_at")):
            before = found.get(name, (first, last))
            found[name] = (min(before[0], first), max(before[1], last))
    return found


def document(name: str, first: datetime, last: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "description": "",
        "created_at": first.isoformat(),
        "updated_at": last.isoformat(),
    }
