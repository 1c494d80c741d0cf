"""Paths of Re:infer's API that this product does not implement, such as comments, datasets and users.

The response is an error in the envelope of Re:infer, because the client of Re:infer cannot parse any other format.
"""

from __future__ import annotations

from typing import ClassVar

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import VIEW
from api.reinfer_compat.base import VendorView

REINFER_PATHS = ("attachments", "audit_events", "datasets", "sources", "statistics")
"""First parts of the paths that Re:infer's API has below /api/v1. The paths of our own API begin with /api/v1, too."""
TEXT = (
    "This server is not Re:infer. It supports only integrations, buckets, keyed sync states and projects. "
    "For everything else, configure the client with the endpoint and the token of Re:infer."
)


class UnsupportedRequest(VendorView):
    """Any path of Re:infer's API that no other view handles."""

    needs: ClassVar = {"GET": VIEW, "POST": VIEW, "PUT": VIEW, "DELETE": VIEW}

    def get(self, request: Request, rest: str = "") -> Response:
        """Respond with 404 and the reason."""
        raise NotFound(TEXT)

    post = put = delete = get
