"""Destinations, their buckets, and what those cost."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.problems import Conflict, Unprocessable
from api.serializers.strict import WEB_ADDRESS, Strict, checked_address
from integrations.binding import must_be_entered_again
from integrations.models import NAME, PROJECT_NAME, Destination
from integrations.reinfer.names import problem_with_bucket
from mailboxes.models import Bucket


class DestinationSerializer(Strict):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=128)
    endpoint = serializers.RegexField(WEB_ADDRESS, max_length=512)
    token = serializers.CharField(
        max_length=4096,
        write_only=True,
        trim_whitespace=False,
        help_text="Never told again. Needed again with another endpoint: it is sent only to the one that it came with.",
    )
    held_until = serializers.DateTimeField(read_only=True, allow_null=True)
    held_reason = serializers.CharField(read_only=True, source="held_detail")
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def validate_endpoint(self, value: str) -> str:
        return checked_address("endpoint", value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row: Destination | None = self.instance
        if row is not None and "token" not in attrs and (parts := row.not_for("token", attrs)):
            raise Unprocessable({"token": [must_be_entered_again("API token", parts)]})
        return attrs

    def validate_name(self, value: str) -> str:
        others = Destination.objects.filter(name=value)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise Conflict({"name": ["There is a destination of this name already."]})
        return value


class BucketSerializer(Strict):
    id = serializers.IntegerField(read_only=True)
    destination = serializers.IntegerField(source="destination_id", min_value=0, max_value=2**63 - 1)
    project_name = serializers.CharField(source="project", max_length=1024, validators=[PROJECT_NAME])
    name = serializers.CharField(max_length=256, validators=[NAME])
    monthly_limit = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1, help_text="AI units a month. Null: no limit."
    )
    held_until = serializers.DateTimeField(read_only=True, allow_null=True)
    held_reason = serializers.CharField(read_only=True, source="held_detail")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        project, name = attrs.get("project", ""), attrs.get("name", "")
        if self.instance is None:
            if problem := problem_with_bucket(project, name):
                raise Unprocessable({"name": [problem]})
            if not Destination.objects.filter(pk=attrs["destination_id"]).exists():
                raise Unprocessable({"destination": ["There is no such destination."]})
            there = Bucket.objects.filter(destination=attrs["destination_id"], project=project, name=name)
            if there.exists():
                raise Conflict({"name": ["This destination has this bucket already."]})
        return attrs


class BucketChange(Strict):
    monthly_limit = serializers.IntegerField(allow_null=True, min_value=0, max_value=2**31 - 1)


class AvailableBuckets(serializers.Serializer):  # type: ignore[type-arg]
    """What Re:infer shows to the token of a destination."""

    class AvailableBucketSerializer(serializers.Serializer):  # type: ignore[type-arg]
        project_name = serializers.CharField()
        name = serializers.CharField()

    ok = serializers.BooleanField()
    detail = serializers.CharField(help_text="Why they cannot be told.")
    buckets = AvailableBucketSerializer(many=True)


class UsageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """AI units of this month."""

    class UsageLine(serializers.Serializer):  # type: ignore[type-arg]
        bucket = serializers.IntegerField()
        project_name = serializers.CharField()
        name = serializers.CharField()
        ai_units = serializers.IntegerField()
        monthly_limit = serializers.IntegerField(allow_null=True)

    since = serializers.DateTimeField()
    ai_units = serializers.IntegerField()
    buckets = UsageLine(many=True)
