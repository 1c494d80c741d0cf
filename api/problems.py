"""Responses to errors of the API as problem details (RFC 9457), with the fields that have errors."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"


class Conflict(APIException):
    """The object was changed meanwhile, exists already, or is in use (409)."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This was changed meanwhile, or exists already."


class PreconditionFailed(APIException):
    """The state in `If-Match` is not the present state (412)."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "The state differs from your If-Match. Get it again."


class PayloadTooLarge(APIException):
    """The body exceeds the limit (413)."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class Unprocessable(APIException):
    """The request is well-formed, but cannot be done (422). The reason is given in words, and for fields by field."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "This is not possible."


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem details for an exception. Django REST framework calls this for every exception.

    Args:
        error: The exception.
        context: The context of the request.

    Returns:
        The response; None for an error of the product itself.
    """
    if isinstance(error, RequestDataTooBig):
        error = PayloadTooLarge(f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.")
    answer = exception_handler(error, context)
    if answer is None:
        return None
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(answer.status_code).phrase,
        "status": answer.status_code,
    }
    fields = list(_fields(answer.data))
    wrong = [{"field": field, "message": message} for field, message in fields if field]
    problem["detail"] = " ".join(message for field, message in fields if not field) or "Some fields have errors."
    if wrong:
        problem["errors"] = wrong
    # A problem is JSON, whatever the request accepts.
    context["request"].accepted_renderer, context["request"].accepted_media_type = JSONRenderer(), CONTENT_TYPE
    return Response(problem, answer.status_code, headers=_kept(answer), content_type=CONTENT_TYPE)


def _fields(data: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the field and the message of each error in DRF's nested lists and objects."""
    if isinstance(data, dict):
        for key, value in data.items():
            inner = "" if key in {"detail", "non_field_errors"} else str(key)
            yield from _fields(value, f"{place}.{inner}" if place and inner else place or inner)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _fields(value, f"{place}[{number}]" if isinstance(value, dict) else place)
    else:
        yield place, str(data)


def _kept(answer: Response) -> dict[str, str]:
    return {name: answer[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in answer}
