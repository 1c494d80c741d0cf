"""Where notices are sent."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError as FormError
from django.core.validators import URLValidator
from rest_framework import serializers

from api.problems import Unprocessable
from api.shapes.strict import WEB_ADDRESS, Strict
from integrations.forms.integration import without_credentials
from notices.models import Kind
from notices.sending import problem_with


class WebhookShape(Strict):
    id = serializers.IntegerField(read_only=True)
    url = serializers.RegexField(WEB_ADDRESS, max_length=512)
    secret = serializers.CharField(
        min_length=16,
        max_length=256,
        write_only=True,
        trim_whitespace=False,
        help_text="Signs what is sent. Never told.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(Kind.values), required=False, help_text="Kinds of notices. Empty: all."
    )
    created_at = serializers.DateTimeField(read_only=True)

    def validate_url(self, value: str) -> str:
        try:
            URLValidator(schemes=["http", "https"])(value)
            without_credentials(value)
        except FormError as error:
            raise Unprocessable({"url": error.messages}) from None
        if problem := problem_with(value, allow_private=settings.NOTICES_ALLOW_PRIVATE):
            raise Unprocessable({"url": [f"Nothing would be sent there: {problem}."]})
        return value
