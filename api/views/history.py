"""View of the audit log."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from access.models import AuditEntry
from access.table import VIEW
from api.filters import number, words
from api.moments import moment
from api.serializers.history import AuditEntrySerializer
from api.views.base import Listed, answers


class History(Listed):
    """The audit log: actions of users and commands, and the changed values before and after each action."""

    needs: ClassVar = {"GET": VIEW}
    queryset = AuditEntry.objects.all()
    serializer_class = AuditEntrySerializer
    filters: ClassVar = {
        "integration_id": ("integration_id", number),
        "about": ("about", words),
        "object_id": ("object_id", number),
        "who": ("who", words),
        "since": ("at__gte", moment),
        "until": ("at__lt", moment),
    }
    orderings: ClassVar = {"at": "at"}

    @answers(body=AuditEntrySerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the audit entries, by default the newest first. Audit entries contain no secrets."""
        return self.get_paginated_response(AuditEntrySerializer(self.page(), many=True).data)
