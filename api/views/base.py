"""What the views share: permissions, the declared errors of a method, and the responses of actions."""

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
from api.serializers.answers import ActionAnswerSerializer, ProblemSerializer
from operations.documents.applying import ChangedMeanwhile
from operations.documents.desired import DocumentWrong
from operations.results import ActionRefused, Finding

M = TypeVar("M", bound=Model)
LARGEST = 2**63 - 1
TEXTS = {
    400: "The request is not valid.",
    401: "There is no token, or not a valid one.",
    403: "This token's user may not do this.",
    404: "There is no such object.",
    405: "This method is not supported here.",
    406: "Responses are JSON only.",
    409: "It was changed meanwhile, or exists already.",
    412: "The state differs from If-Match.",
    413: "The body is too large.",
    415: "This content type is not supported.",
    422: "The request is valid and cannot be done.",
    429: "Too many requests. Retry-After contains the seconds to wait.",
}


class ApiView(GenericAPIView):  # type: ignore[type-arg]
    """Base of all views. An unknown query parameter is rejected, since a misspelled `dry_run` must not be ignored."""

    needs: ClassVar[Mapping[str, str]] = {}
    """The permission by HTTP method: see `api.permissions`."""
    queries: ClassVar[Mapping[str, Iterable[str]]] = {}
    """The query parameters by HTTP method."""

    @classmethod
    def body_limit(cls) -> int:
        """Return how many bytes the body of a request may have: see `access.body_limits`."""
        return max(parser.most_bytes() for parser in cls.parser_classes if issubclass(parser, Bounded))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Reject unknown query parameters.

        Args:
            request: The request.
            *args: Of the URL.
            **kwargs: Of the URL.

        Raises:
            ValidationError: A parameter is unknown.
        """
        super().initial(request, *args, **kwargs)
        if not hasattr(self, str(request.method).lower()):
            return  # The view responds with 405.
        known = set(self.known_queries("GET" if request.method == "HEAD" else str(request.method)))
        if unknown := [name[:60] for name in request.query_params if name not in known]:
            raise ValidationError({name: ["This parameter is not known."] for name in unknown[:20]})

    def known_queries(self, method: str) -> Iterable[str]:
        """Return the query parameters of a method.

        Args:
            method: The HTTP method.

        Returns:
            The names.
        """
        return self.queries.get(method, ())


class Listed(ApiView):
    """Base of the lists: GET is filtered, ordered and paginated."""

    filters: ClassVar[Mapping[str, Filter]] = {}
    orderings: ClassVar[Mapping[str, str]] = {}
    ordering: ClassVar[str] = "-id"
    """The ordering unless the request names another."""
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
        """Return the rows of the requested page. `get_paginated_response` makes the response."""
        return self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []


def answers(
    *statuses: int, given: Any = None, body: Any = None, code: int = 200, created: Any = None, **more: Any
) -> Callable[[Any], Any]:
    """Describe a method for the schema.

    Args:
        *statuses: The HTTP statuses of its errors, besides those of every method.
        given: The serializer of the request.
        body: The serializer of the response.
        code: The HTTP status of success.
        created: The serializer of a response with 201, where there is one.
        **more: Further arguments of `extend_schema`.

    Returns:
        The decorator.
    """
    refusals = {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, TEXTS[status])
        for status in sorted({*statuses, *({422} if given else set()), 400, 401, 403, 404, 405, 406, 413, 415, 429})
    }
    good: dict[Any, Any] = {(code, "application/json"): OpenApiResponse(body, "Done.")} if body else {code: None}
    if created:
        good[201, "application/json"] = OpenApiResponse(created, "Created.")
    return extend_schema(request=given, responses={**good, **refusals}, **more)


def one(rows: QuerySet[M], pk: int) -> M:
    """Return a row by its primary key.

    Args:
        rows: The query.
        pk: The primary key, also larger than the database can store.

    Returns:
        The row.

    Raises:
        Http404: There is no such row.
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
        sentence: The result of the action.
        look_at: The path where the client sees the effect.
        code: The HTTP status of an action that was done.

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
    """Return the content of a response to a test: `Checked`.

    Args:
        finding: The result.

    Returns:
        The content.
    """
    steps: Sequence[Any] = finding.steps
    return {
        "ok": finding.ok,
        "detail": finding.text,
        "steps": [{"name": s.name, "ok": s.ok, "text": s.text, "seconds": round(s.seconds, 3)} for s in steps],
    }


class Documents:
    """A context manager that turns the errors of a document into responses."""

    def __enter__(self) -> None:
        """Begin."""
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Turn an error of a document into a response.

        Args:
            kind: The type of the exception.
            error: The exception.
            trace: Its traceback.

        Raises:
            Conflict: The integration was changed meanwhile.
            Unprocessable: The document has errors.
        """
        if isinstance(error, ChangedMeanwhile):
            raise Conflict(" ".join(error.problems)) from None
        if isinstance(error, DocumentWrong):
            raise Unprocessable({"non_field_errors": list(error.problems)}) from None
