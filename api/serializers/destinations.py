"""Serializers of destinations, their buckets, and the AI units of the buckets."""

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
    """A destination: a Re:infer tenant."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=128)
    endpoint = serializers.RegexField(WEB_ADDRESS, max_length=512)
    token = serializers.CharField(
        max_length=4096,
        write_only=True,
        trim_whitespace=False,
        help_text="Never returned. Required again when the endpoint changes: a token is sent only to the endpoint that it was "
        "entered for.",
    )
    held_until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Time of the half-open trial. The circuit breaker is open until then. Null: it is closed.",
    )
    held_reason = serializers.CharField(
        read_only=True, source="held_detail", help_text="Why the circuit breaker is open. Empty: it is closed."
    )
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def validate_endpoint(self, value: str) -> str:
        """Check that the URL is valid and contains no credentials.

        Args:
            value: The value of the field.

        Returns:
            The value.

        Raises:
            Unprocessable: The URL is not valid, or contains credentials.
        """
        return checked_address("endpoint", value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that the token is present if the endpoint changes.

        Args:
            attrs: The values.

        Returns:
            The values.

        Raises:
            Unprocessable: The token is missing.
        """
        row: Destination | None = self.instance
        if row is not None and "token" not in attrs and (parts := row.not_for("token", attrs)):
            raise Unprocessable({"token": [must_be_entered_again("API token", parts)]})
        return attrs

    def validate_name(self, value: str) -> str:
        """Check that no other destination has this name.

        Args:
            value: The value of the field.

        Returns:
            The value.

        Raises:
            Conflict: Another destination has this name.
        """
        others = Destination.objects.filter(name=value)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise Conflict({"name": ["A destination with this name exists already."]})
        return value


class BucketSerializer(Strict):
    """A bucket at a destination."""

    id = serializers.IntegerField(read_only=True)
    destination = serializers.IntegerField(source="destination_id", min_value=0, max_value=2**63 - 1)
    project_name = serializers.CharField(source="project", max_length=1024, validators=[PROJECT_NAME])
    name = serializers.CharField(max_length=256, validators=[NAME])
    monthly_limit = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**31 - 1,
        help_text="AI units per month. Null: no limit.",
    )
    held_until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Time of the half-open trial. The circuit breaker is open until then. Null: it is closed.",
    )
    held_reason = serializers.CharField(
        read_only=True, source="held_detail", help_text="Why the circuit breaker is open. Empty: it is closed."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that the name of a new bucket is valid, and that the bucket does not exist yet.

        Args:
            attrs: The values.

        Returns:
            The values.

        Raises:
            Unprocessable: The project name or the name is not valid, or the destination does not exist.
            Conflict: The bucket exists already.
        """
        project, name = attrs.get("project", ""), attrs.get("name", "")
        if self.instance is None:
            if problem := problem_with_bucket(project, name):
                raise Unprocessable({"name": [problem]})
            if not Destination.objects.filter(pk=attrs["destination_id"]).exists():
                raise Unprocessable({"destination": ["This destination does not exist."]})
            same_bucket = Bucket.objects.filter(destination=attrs["destination_id"], project=project, name=name)
            if same_bucket.exists():
                raise Conflict({"name": ["This bucket exists already at this destination."]})
        return attrs


class BucketChange(Strict):
    """A change of the monthly limit of a bucket."""

    monthly_limit = serializers.IntegerField(allow_null=True, min_value=0, max_value=2**31 - 1)


class AvailableBuckets(serializers.Serializer):  # type: ignore[type-arg]
    """The buckets that the token of a destination can access at Re:infer."""

    class AvailableBucketSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """One bucket at Re:infer."""

        project_name = serializers.CharField()
        name = serializers.CharField()

    ok = serializers.BooleanField()
    detail = serializers.CharField(help_text="The error, if the buckets cannot be listed.")
    buckets = AvailableBucketSerializer(many=True)


class UsageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The AI units of this month."""

    class UsageLine(serializers.Serializer):  # type: ignore[type-arg]
        """The AI units of one bucket."""

        bucket = serializers.IntegerField()
        project_name = serializers.CharField()
        name = serializers.CharField()
        ai_units = serializers.IntegerField()
        monthly_limit = serializers.IntegerField(allow_null=True)

    since = serializers.DateTimeField()
    ai_units = serializers.IntegerField()
    buckets = UsageLine(many=True)
