"""Requests of the client that only Re:infer itself can answer: comments, datasets, users and others.

The response is an error in the client's envelope, because the client reads no other format.
"""

from __future__ import annotations

from typing import ClassVar

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import VIEW
from api.reinfer_compat.base import VendorView

RE_INFERS = ("attachments", "audit_events", "datasets", "sources", "statistics")
"""Parts of Re:infer's API below /api/v1, the prefix that our own API also has."""
TEXT = (
    "This server delivers mail to Re:infer; it has integrations, buckets, keyed sync states and projects. "
    "For everything else, give the client the endpoint and the token of Re:infer itself."
)


class Elsewhere(VendorView):
    """Any other path."""

    needs: ClassVar = {"GET": VIEW, "POST": VIEW, "PUT": VIEW, "DELETE": VIEW}

    def get(self, request: Request, rest: str = "") -> Response:
        """Respond with 404 and the reason."""
        raise NotFound(TEXT)

    post = put = delete = get
