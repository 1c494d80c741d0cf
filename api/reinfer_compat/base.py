"""Base of the views, and the JSON envelope of Re:infer's API.

The envelope is `{"status": "ok", …}`, or `{"status": "error", "message": "…"}` for an error.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.problems import Unprocessable


class VendorView(APIView):
    """Base of the views for Re:infer's client. They are not in our OpenAPI schema, because Re:infer defines this API."""

    needs: ClassVar[dict[str, str]] = {}
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        """Return an error response in the envelope.

        Args:
            exc: The exception.

        Returns:
            The response.
        """
        response = super().handle_exception(exc)
        problem = response.data
        texts = [problem["detail"]] if "detail" in problem else []
        texts += [f"{line['field']}: {line['message']}" for line in problem.get("errors", [])]
        headers = {name: response[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in response}
        return Response({"status": "error", "message": " ".join(texts)}, response.status_code, headers=headers)


def is_reinfer_client_path(path: str) -> bool:
    """Return whether only Re:infer's client requests a path. Errors for such a path must be in the envelope of Re:infer.

    Args:
        path: The path of the request.

    Returns:
        Whether the path belongs to Re:infer's API.
    """
    return path.startswith(("/api/_private/", "/auth/"))


def ok(code: int = 200, **payload: Any) -> Response:
    """Return a successful response.

    Args:
        code: The HTTP status.
        **payload: Further keys of the envelope.

    Returns:
        The response.
    """
    return Response({"status": "ok", **payload}, code)


def hex_id(pk: int) -> str:
    """Return a primary key in the format of Re:infer's ids: 16 hexadecimal digits."""
    return f"{pk:016x}"


def pk_of(text: str) -> int:
    """Return the primary key of an id that `hex_id` returned.

    Args:
        text: Hexadecimal digits.

    Returns:
        The primary key.

    Raises:
        Http404: The text is not a hexadecimal number, or the number is not a possible primary key.
    """
    try:
        pk = int(text, 16)
    except ValueError:
        raise Http404 from None
    if not 0 <= pk < 2**63:
        raise Http404
    return pk


def inner(request: Request, key: str) -> dict[str, Any]:
    """Return a JSON object in the request body.

    Args:
        request: The request.
        key: The key of the object.

    Returns:
        The object.

    Raises:
        Unprocessable: The body does not contain the object.
    """
    value = request.data.get(key) if isinstance(request.data, dict) else None
    if not isinstance(value, dict):
        raise Unprocessable(f"The body must be a JSON object with the key “{key}”, whose value is an object.")
    return value
