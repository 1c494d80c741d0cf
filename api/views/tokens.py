"""Views that create, list and revoke the API tokens of the user. Only the response to a creation contains the token."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import ApiToken
from access.table import VIEW
from api import examples
from api.serializers.tokens import TokenMade, TokenSerializer
from api.views.base import ApiView, Listed, answers
from operations import token_actions
from operations.actor import Actor


class Tokens(Listed):
    """The API tokens of the user."""

    needs: ClassVar = {"GET": VIEW, "POST": VIEW}
    serializer_class = TokenSerializer
    orderings: ClassVar = {"created": "created"}
    ordering = "-created"
    key = "public_id"

    def get_queryset(self) -> QuerySet[ApiToken]:
        """Return the tokens of the user."""
        own_tokens: QuerySet[ApiToken] = ApiToken.objects.filter(user=self.request.user)
        return own_tokens

    @answers(body=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the tokens of the user."""
        return self.get_paginated_response(TokenSerializer(self.page(), many=True).data)

    @answers(given=TokenSerializer, body=TokenMade, code=201, examples=examples.TOKENS)
    def post(self, request: Request) -> Response:
        """Create a token. It has the permissions of the user."""
        serializer = TokenSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        name, days = serializer.validated_data["name"], serializer.validated_data["days"]
        row, token = token_actions.create(Actor.of_request(request), request.user, name, days)
        return Response({**TokenSerializer(row).data, "token": token}, 201)


class OneToken(ApiView):
    """A token of the user."""

    needs: ClassVar = {"DELETE": VIEW}

    @answers(code=204)
    def delete(self, request: Request, pk: UUID) -> Response:
        """Revoke the token. Requests with it are then rejected."""
        row = ApiToken.objects.filter(user=request.user, public_id=pk).first()
        if row is None:
            raise Http404
        token_actions.revoke(Actor.of_request(request), row)
        return Response(status=204)
