"""The vendor's envelope: `{"status": "ok", …}`, or `{"status": "error", "message"}`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.problems import Unprocessable


class VendorView(APIView):
    """Base of these views. They are not in our schema: it is not our contract."""

    needs: ClassVar[dict[str, str]] = {}
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        answer = super().handle_exception(exc)
        problem = answer.data
        told = [problem["detail"]] if "detail" in problem else []
        told += [f"{line['field']}: {line['message']}" for line in problem.get("errors", [])]
        headers = {name: answer[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in answer}
        return Response({"status": "error", "message": " ".join(told)}, answer.status_code, headers=headers)


def is_asked_by_it(path: str) -> bool:
    """Whether only the vendor's client asks here, which understands no other envelope."""
    return path.startswith(("/api/_private/", "/auth/"))


def ok(code: int = 200, **payload: Any) -> Response:
    return Response({"status": "ok", **payload}, code)


def hex_id(pk: int) -> str:
    """The vendor's ids are 16 hex digits."""
    return f"{pk:016x}"


def pk_of(text: str) -> int:
    """Raises Http404 for what is none."""
    try:
        pk = int(text, 16)
    except ValueError:
        raise Http404 from None
    if not 0 <= pk < 2**63:
        raise Http404
    return pk


def inner(request: Request, key: str) -> dict[str, Any]:
    """What the body holds under this key. Raises Unprocessable."""
    found = request.data.get(key) if isinstance(request.data, dict) else None
    if not isinstance(found, dict):
        raise Unprocessable(f"The body must hold an object “{key}”.")
    return found
