"""Error responses of the API: problem details (RFC 9457), with a list of the fields that have errors."""

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
    """The state of the object does not allow the request (409): the object was changed, exists already or is in use."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The object was changed by another request, exists already or is in use."


class PreconditionFailed(APIException):
    """The ETag in the header `If-Match` is not the ETag of the current state (412)."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "The object has changed: its ETag differs from If-Match. Get the object again."


class PayloadTooLarge(APIException):
    """The body exceeds the limit (413)."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class Unprocessable(APIException):
    """The request is well-formed but cannot be carried out (422). The detail states the reason, if possible by field."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "The request cannot be carried out."


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem details for an exception. Django REST framework calls this for every exception of a view.

    Args:
        error: The exception.
        context: The context of the request.

    Returns:
        The response; None for an unexpected exception, to which Django responds with 500.
    """
    if isinstance(error, RequestDataTooBig):
        error = PayloadTooLarge(f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.")
    response = exception_handler(error, context)
    if response is None:
        return None
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
    }
    fields = list(_fields(response.data))
    field_errors = [{"field": field, "message": message} for field, message in fields if field]
    problem["detail"] = " ".join(message for field, message in fields if not field) or "Some fields have errors."
    if field_errors:
        problem["errors"] = field_errors
    # Problem details are always JSON, even if the header Accept of the request names another format.
    context["request"].accepted_renderer, context["request"].accepted_media_type = JSONRenderer(), CONTENT_TYPE
    return Response(problem, response.status_code, headers=_preserved_headers(response), content_type=CONTENT_TYPE)


def _fields(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of the field and the message for each error in the nested data of Django REST framework."""
    if isinstance(data, dict):
        for key, value in data.items():
            inner = "" if key in {"detail", "non_field_errors"} else str(key)
            yield from _fields(value, f"{path}.{inner}" if path and inner else path or inner)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _fields(value, f"{path}[{number}]" if isinstance(value, dict) else path)
    else:
        yield path, str(data)


def _preserved_headers(response: Response) -> dict[str, str]:
    return {name: response[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in response}
