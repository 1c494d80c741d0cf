"""What the views share: who may, which errors a method can answer, and how what people do is written down."""

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

from access import history
from api.filters import Declared, Filter
from api.parsing import Bounded
from api.problems import CONTENT_TYPE, Conflict, Unprocessable
from api.serializers.answers import ActionAnswerSerializer, ProblemSerializer
from operations.actions import ActionRefused, Finding
from operations.documents.applying import ChangedMeanwhile
from operations.documents.desired import DocumentWrong

M = TypeVar("M", bound=Model)
LARGEST = 2**63 - 1
TEXTS = {
    400: "The request is wrong.",
    401: "There is no token, or not a valid one.",
    403: "This token's user may not do this.",
    404: "There is no such thing.",
    405: "This cannot be done here.",
    406: "Only JSON is answered.",
    409: "It was changed meanwhile, or exists already.",
    412: "It is no longer as If-Match says.",
    413: "The body is too large.",
    415: "This type of content is not understood.",
    422: "Understood, and not possible.",
    429: "Too many requests. Retry-After says when to go on.",
}


class ApiView(GenericAPIView):  # type: ignore[type-arg]
    """Base of all of them. A parameter that it does not know it refuses: a typing error must not be taken for a wish, `dry_run`
    least of all."""

    needs: ClassVar[Mapping[str, str]] = {}
    """Permission by method: see `api.permissions`."""
    queries: ClassVar[Mapping[str, Iterable[str]]] = {}
    """The parameters that a method knows."""

    @classmethod
    def body_limit(cls) -> int:
        """Bytes that the body of a request may have: see `access.body_limits`."""
        return max(parser.most_bytes() for parser in cls.parser_classes if issubclass(parser, Bounded))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not hasattr(self, str(request.method).lower()):
            return  # a method that there is not, whatever its parameters
        known = set(self.known_queries("GET" if request.method == "HEAD" else str(request.method)))
        if unknown := [name[:60] for name in request.query_params if name not in known]:
            raise ValidationError({name: ["This parameter is not known."] for name in unknown[:20]})

    def known_queries(self, method: str) -> Iterable[str]:
        return self.queries.get(method, ())


class Listed(ApiView):
    """Base of the lists: its GET is filtered, ordered and told page by page."""

    filters: ClassVar[Mapping[str, Filter]] = {}
    orderings: ClassVar[Mapping[str, str]] = {}
    ordering: ClassVar[str] = "-id"
    """Unless something else is asked for."""
    key: ClassVar[str] = "pk"
    filter_backends = (Declared,)

    def known_queries(self, method: str) -> Iterable[str]:
        return (*self.filters, "cursor", "page_size", "ordering") if method == "GET" else super().known_queries(method)

    def page(self) -> list[Any]:
        """Of what is asked for. `get_paginated_response` answers it."""
        return self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []


def answers(
    *statuses: int, given: Any = None, body: Any = None, code: int = 200, created: Any = None, **more: Any
) -> Callable[[Any], Any]:
    """The schema of a method: what it answers (`created`: with 201), and every way in which it can refuse."""
    refusals = {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, TEXTS[status])
        for status in sorted({*statuses, *({422} if given else set()), 400, 401, 403, 404, 405, 406, 413, 415, 429})
    }
    good: dict[Any, Any] = {(code, "application/json"): OpenApiResponse(body, "Done.")} if body else {code: None}
    if created:
        good[201, "application/json"] = OpenApiResponse(created, "Created.")
    return extend_schema(request=given, responses={**good, **refusals}, **more)


def one(rows: QuerySet[M], pk: int) -> M:
    """Raises Http404 also for what no database could hold."""
    if pk > LARGEST:
        raise Http404
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def said(
    request: Request,
    sentence: str | ActionRefused,
    look_at: str = "",
    *,
    code: int = 200,
    about: Any = None,
    of: Sequence[Any] = (),
) -> Response:
    """The answer of an action. A complaint is a 422. `of`: what it was about, where it was many."""
    if isinstance(sentence, ActionRefused):
        raise Unprocessable(sentence.text)
    history.record(request, sentence, about=about, changes=history.named(of))
    return Response(
        ActionAnswerSerializer({"detail": sentence, **({"look_at": look_at} if look_at else {})}).data, code
    )


def found(finding: Finding) -> dict[str, Any]:
    """The result of a test: `Checked`."""
    steps: Sequence[Any] = finding.steps
    return {
        "ok": finding.ok,
        "detail": finding.text,
        "steps": [{"name": s.name, "ok": s.ok, "text": s.text, "seconds": round(s.seconds, 3)} for s in steps],
    }


class Documents:
    """Around what reads documents: what is wrong with one becomes the answer that says so."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ChangedMeanwhile):
            raise Conflict(" ".join(error.problems)) from None
        if isinstance(error, DocumentWrong):
            raise Unprocessable({"non_field_errors": list(error.problems)}) from None
