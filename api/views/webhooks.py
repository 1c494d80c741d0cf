"""Views of webhooks: URLs that receive notifications."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from access.table import ADMINISTER
from api import examples
from api.serializers.webhooks import WebhookSerializer
from api.views.base import ApiView, Listed, answers, one
from notifications.models import Webhook
from operations import webhook_actions
from operations.actor import Actor


class Webhooks(Listed):
    """The webhooks."""

    needs: ClassVar = {"GET": ADMINISTER, "POST": ADMINISTER}
    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer

    @answers(body=WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the webhooks."""
        return self.get_paginated_response(WebhookSerializer(self.page(), many=True).data)

    @answers(422, given=WebhookSerializer, body=WebhookSerializer, code=201, examples=examples.WEBHOOKS)
    def post(self, request: Request) -> Response:
        """Add a webhook."""
        serializer = WebhookSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = webhook_actions.add(Actor.of_request(request), serializer.validated_data)
        return Response(WebhookSerializer(row).data, 201)


class OneWebhook(ApiView):
    """A webhook."""

    needs: ClassVar = {"GET": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = WebhookSerializer

    @answers(body=WebhookSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the webhook."""
        return Response(WebhookSerializer(one(Webhook.objects.all(), pk)).data)

    @answers(code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the webhook."""
        webhook_actions.delete(Actor.of_request(request), one(Webhook.objects.all(), pk))
        return Response(status=204)
