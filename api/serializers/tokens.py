"""Serializers of API tokens."""

from __future__ import annotations

from rest_framework import serializers

from api.serializers.strict import Strict


class TokenSerializer(Strict):
    """The name and lifetime of an API token, without its secret value."""

    id = serializers.UUIDField(read_only=True, source="public_id")
    name = serializers.CharField(max_length=100)
    days = serializers.IntegerField(
        write_only=True,
        required=False,
        default=365,
        min_value=1,
        max_value=3650,
        help_text="Days until the token expires.",
    )
    created = serializers.DateTimeField(read_only=True)
    expiry = serializers.DateTimeField(read_only=True, allow_null=True)


class TokenMade(TokenSerializer):
    """A new API token, with its secret value."""

    token = serializers.CharField(help_text="The secret value. Only this response contains it.")
