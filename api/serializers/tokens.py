"""Tokens of the API."""

from __future__ import annotations

from rest_framework import serializers

from api.serializers.strict import Strict


class TokenSerializer(Strict):
    """A token, without the token itself."""

    id = serializers.UUIDField(read_only=True, source="public_id")
    name = serializers.CharField(max_length=100)
    days = serializers.IntegerField(
        write_only=True, required=False, default=365, min_value=1, max_value=3650, help_text="Days until it expires."
    )
    created = serializers.DateTimeField(read_only=True)
    expiry = serializers.DateTimeField(read_only=True, allow_null=True)


class TokenMade(TokenSerializer):
    """A new token."""

    token = serializers.CharField(help_text="Returned only here.")
