"""Base classes and functions of the views: permissions, query parameters, OpenAPI descriptions and responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from api.filters import Declared, Filter
from api.parsing import Bounded
from api.problems import CONTENT_TYPE, Conflict, Unprocessable
from api.serializers.responses import ActionAnswerSerializer, ProblemSerializer
from operations.documents.applying import ChangedMeanwhile
from operations.documents.desired import DocumentWrong
from operations.results import ActionRefused, Finding

M = TypeVar("M", bound=Model)
LARGEST = 2**63 - 1
"""The largest integer that the database can store."""
TEXTS = {
    400: "The request is not valid.",
    401: "The request has no valid token and no session.",
    403: "The user does not have the permission.",
    404: "The object does not exist.",
    405: "This method is not supported here.",
    406: "Responses are JSON only.",
    409: "The state of the object does not allow the request: see the detail.",
    412: "If-Match does not contain the ETag of the object, or the object does not exist.",
    413: "The body is too large.",
    415: "This content type is not supported.",
    422: "The request is well-formed but cannot be carried out.",
    429: "Too many requests. Retry-After is the time to wait, in seconds.",
}
"""The descriptions of the error responses in the OpenAPI schema, by HTTP status."""


class ApiView(GenericAPIView):  # type: ignore[type-arg]
    """Base of the views of our own API.

    Unknown query parameters are rejected, because a misspelled `dry_run` must not be ignored.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    """The permission that each HTTP method requires: see `api.permissions`."""
    queries: ClassVar[Mapping[str, Iterable[str]]] = {}
    """The names of the query parameters of each HTTP method."""

    @classmethod
    def body_limit(cls) -> int:
        """Return the maximum size of a request body, in bytes: see `access.body_limits`."""
        return max(parser.most_bytes() for parser in cls.parser_classes if issubclass(parser, Bounded))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Reject unknown query parameters.

        Args:
            request: The request.
            *args: Positional arguments from the URL.
            **kwargs: Keyword arguments from the URL.

        Raises:
            ValidationError: A parameter is unknown.
        """
        super().initial(request, *args, **kwargs)
        if not hasattr(self, str(request.method).lower()):
            return  # The view responds with 405.
        known = set(self.known_queries("GET" if request.method == "HEAD" else str(request.method)))
        if unknown := [name[:60] for name in request.query_params if name not in known]:
            raise ValidationError({name: ["Unknown parameter."] for name in unknown[:20]})

    def known_queries(self, method: str) -> Iterable[str]:
        """Return the query parameters of a method.

        Args:
            method: The HTTP method.

        Returns:
            The names.
        """
        return self.queries.get(method, ())


class Listed(ApiView):
    """Base of the list views. GET supports filters, orderings and pagination."""

    filters: ClassVar[Mapping[str, Filter]] = {}
    orderings: ClassVar[Mapping[str, str]] = {}
    ordering: ClassVar[str] = "-id"
    """The default ordering."""
    key: ClassVar[str] = "pk"
    filter_backends = (Declared,)

    def known_queries(self, method: str) -> Iterable[str]:
        """Return the query parameters of a method.

        Args:
            method: The HTTP method.

        Returns:
            The names.
        """
        return (*self.filters, "cursor", "page_size", "ordering") if method == "GET" else super().known_queries(method)

    def page(self) -> list[Any]:
        """Return the rows of the requested page. Pass their serialized data to `get_paginated_response`."""
        return self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []


def answers(
    *statuses: int, given: Any = None, body: Any = None, code: int = 200, created: Any = None, **more: Any
) -> Callable[[Any], Any]:
    """Describe a view method in the OpenAPI schema.

    Args:
        *statuses: The HTTP statuses of errors that not every method returns. The statuses of every method are added, and
            422 if the method has a request body.
        given: The serializer of the request.
        body: The serializer of the response.
        code: The HTTP status of success.
        created: The serializer of a response with status 201, if the method has one besides `code`.
        **more: Further arguments of `extend_schema`.

    Returns:
        A decorator for the method.
    """
    errors = {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, TEXTS[status])
        for status in sorted({*statuses, *({422} if given else set()), 400, 401, 403, 404, 405, 406, 413, 415, 429})
    }
    successes: dict[Any, Any] = {(code, "application/json"): OpenApiResponse(body, "Done.")} if body else {code: None}
    if created:
        successes[201, "application/json"] = OpenApiResponse(created, "Created.")
    return extend_schema(request=given, responses={**successes, **errors}, **more)


def one(rows: QuerySet[M], pk: int) -> M:
    """Return a row by its primary key.

    Args:
        rows: The query.
        pk: The primary key. It may be larger than the database can store.

    Returns:
        The row.

    Raises:
        Http404: The row does not exist.
    """
    if pk > LARGEST:
        raise Http404
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def action_response(sentence: str | ActionRefused, look_at: str = "", *, code: int = 200) -> Response:
    """Return the response to an action.

    Args:
        sentence: The result of the action, or its refusal.
        look_at: The path of the object that shows the effect.
        code: The HTTP status of success.

    Returns:
        The response.

    Raises:
        Unprocessable: The action was refused (422).
    """
    if isinstance(sentence, ActionRefused):
        raise Unprocessable(sentence.text)
    return Response(
        ActionAnswerSerializer({"detail": sentence, **({"look_at": look_at} if look_at else {})}).data, code
    )


def finding_data(finding: Finding) -> dict[str, Any]:
    """Return the response data of a test, in the format of the serializer `Checked`.

    Args:
        finding: The result of the test, or of an estimate or preview, which has no steps.

    Returns:
        The response data.
    """
    steps: Sequence[Any] = finding.steps
    return {
        "ok": finding.ok,
        "detail": finding.text,
        "steps": [{"name": s.name, "ok": s.ok, "text": s.text, "seconds": round(s.seconds, 3)} for s in steps],
    }


class Documents:
    """A context manager that converts exceptions about a document into exceptions of the API, which become responses."""

    def __enter__(self) -> None:
        """Do nothing."""
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Convert an exception about a document into an exception of the API.

        Args:
            kind: The type of the exception.
            error: The exception.
            trace: The traceback of the exception.

        Raises:
            Conflict: Another request changed the integration.
            Unprocessable: The document has errors.
        """
        if isinstance(error, ChangedMeanwhile):
            raise Conflict(" ".join(error.problems)) from None
        if isinstance(error, DocumentWrong):
            raise Unprocessable({"non_field_errors": list(error.problems)}) from None
