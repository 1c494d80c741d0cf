"""The tokens of whoever asks: made, listed, revoked. A token is told once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.models import ApiToken
from access.table import VIEW
from api import examples
from api.serializers.tokens import TokenMade, TokenSerializer
from api.views.base import ApiView, Listed, answers


class Tokens(Listed):
    needs: ClassVar = {"GET": VIEW, "POST": VIEW}
    serializer_class = TokenSerializer
    orderings: ClassVar = {"created": "created"}
    ordering = "-created"
    key = "public_id"

    def get_queryset(self) -> QuerySet[ApiToken]:
        mine: QuerySet[ApiToken] = ApiToken.objects.filter(user=self.request.user)
        return mine

    @answers(body=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response(TokenSerializer(self.page(), many=True).data)

    @answers(given=TokenSerializer, body=TokenMade, code=201, examples=examples.TOKENS)
    def post(self, request: Request) -> Response:
        """It may do what its user may."""
        shape = TokenSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        name, days = shape.validated_data["name"], shape.validated_data["days"]
        ApiToken.objects.filter(user=request.user, expiry__lt=timezone.now()).delete()
        row, token = ApiToken.objects.create(request.user, expiry=timedelta(days=days), name=name)
        history.record(request, f"The API token “{name}” was made.")
        return Response({**TokenSerializer(row).data, "token": token}, 201)


class OneToken(ApiView):
    needs: ClassVar = {"DELETE": VIEW}

    @answers(code=204)
    def delete(self, request: Request, pk: UUID) -> Response:
        """Revoke it: it is refused from now on."""
        row = ApiToken.objects.filter(user=request.user, public_id=pk).first()
        if row is None:
            raise Http404
        row.delete()
        history.record(request, f"The API token “{row.name}” was revoked.")
        return Response(status=204)
