"""The tokens of whoever asks: made, listed, revoked. A token is told once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.models import ApiToken
from access.table import VIEW
from api.shapes import TokenMade, TokenShape
from api.views.base import Api, answers


class Tokens(Api):
    needs: ClassVar = {"GET": VIEW, "POST": VIEW}
    serializer_class = TokenShape

    @answers(body=TokenShape(many=True))
    def get(self, request: Request) -> Response:
        mine = ApiToken.objects.filter(user=request.user)
        return self.get_paginated_response(TokenShape(self.paginate_queryset(mine), many=True).data)

    @answers(given=TokenShape, body=TokenMade, code=201)
    def post(self, request: Request) -> Response:
        """It may do what its user may."""
        shape = TokenShape(data=request.data)
        shape.is_valid(raise_exception=True)
        name, days = shape.validated_data["name"], shape.validated_data["days"]
        row, token = ApiToken.objects.create(request.user, expiry=timedelta(days=days), name=name)
        history.record(request, f"The API token “{name}” was made.")
        return Response({**TokenShape(row).data, "token": token}, 201)


class OneToken(Api):
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
