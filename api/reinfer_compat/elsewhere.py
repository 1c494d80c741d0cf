"""Whatever else the client can ask: comments, datasets, users and their like are Re:infer's. It is told so in its own envelope,
for it cannot read another."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import VIEW
from api.reinfer_compat.base import VendorView

RE_INFERS = ("attachments", "audit_events", "datasets", "sources", "statistics")
"""What the client asks for below /api/v1, which is also where our own API is."""
TEXT = (
    "This server brings mail to Re:infer; it knows integrations, buckets, keyed sync states and projects. "
    "For all else give the client the endpoint and the token of Re:infer itself."
)


class Elsewhere(VendorView):
    needs: ClassVar = {"GET": VIEW, "POST": VIEW, "PUT": VIEW, "DELETE": VIEW}

    def get(self, request: Request, rest: str = "") -> Response:
        raise NotFound(TEXT)

    post = put = delete = get
