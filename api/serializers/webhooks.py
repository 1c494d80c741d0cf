"""Serializer of webhooks: URLs that receive notifications."""

from __future__ import annotations

from django.conf import settings
from rest_framework import serializers

from api.problems import Unprocessable
from api.serializers.strict import WEB_ADDRESS, Strict, checked_address
from notifications.models import NotificationKind
from notifications.sending import problem_with


class WebhookSerializer(Strict):
    """A webhook."""

    id = serializers.IntegerField(read_only=True)
    url = serializers.RegexField(WEB_ADDRESS, max_length=512)
    secret = serializers.CharField(
        min_length=16,
        max_length=256,
        write_only=True,
        trim_whitespace=False,
        help_text="The key for the signature of each request. Never returned.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(NotificationKind.values),
        required=False,
        help_text="Kinds of notifications to send. Empty: all kinds.",
    )
    created_at = serializers.DateTimeField(read_only=True)

    def validate_url(self, value: str) -> str:
        """Check that notifications may be sent to the URL.

        Args:
            value: The URL.

        Returns:
            The URL.

        Raises:
            Unprocessable: The URL is not valid, or contains credentials. If NOTICES_ALLOW_PRIVATE is not set, also: the URL
                does not begin with https://, or its host has an address that is not public.
        """
        checked_address("url", value)
        if problem := problem_with(value, allow_private=settings.NOTICES_ALLOW_PRIVATE):
            raise Unprocessable({"url": [f"Notifications cannot be sent to this URL: {problem}."]})
        return value
