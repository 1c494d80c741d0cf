"""Addresses that want to be told of what happens."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.table import ADMINISTER
from api import examples
from api.serializers.webhooks import WebhookSerializer
from api.views.base import ApiView, Listed, answers, one
from notifications.models import Webhook


class Webhooks(Listed):
    needs: ClassVar = {"GET": ADMINISTER, "POST": ADMINISTER}
    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer

    @answers(body=WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response(WebhookSerializer(self.page(), many=True).data)

    @answers(422, given=WebhookSerializer, body=WebhookSerializer, code=201, examples=examples.WEBHOOKS)
    def post(self, request: Request) -> Response:
        shape = WebhookSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        row = Webhook.objects.create(**shape.validated_data)
        history.record(request, f"A webhook to {row} was added.")
        return Response(WebhookSerializer(row).data, 201)


class OneWebhook(ApiView):
    needs: ClassVar = {"GET": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = WebhookSerializer

    @answers(body=WebhookSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(WebhookSerializer(one(Webhook.objects.all(), pk)).data)

    @answers(code=204)
    def delete(self, request: Request, pk: int) -> Response:
        row = one(Webhook.objects.all(), pk)
        row.delete()
        history.record(request, f"The webhook to {row} was deleted.")
        return Response(status=204)
