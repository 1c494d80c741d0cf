"""Serializers of the responses that several views use: the result of an action, the result of a test, and an error."""

from __future__ import annotations

from rest_framework import serializers


class ActionAnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The result of an action, as text."""

    detail = serializers.CharField()
    look_at = serializers.CharField(required=False, help_text="The path of the object that shows the effect.")


class Checked(serializers.Serializer):  # type: ignore[type-arg]
    """The result of a test and of each of its steps."""

    class DiagnosisStepSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """One step of a test."""

        name = serializers.CharField()
        ok = serializers.BooleanField()
        text = serializers.CharField()
        seconds = serializers.FloatField()

    ok = serializers.BooleanField()
    detail = serializers.CharField(source="text")
    steps = DiagnosisStepSerializer(many=True)


class ProblemSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Problem details (RFC 9457), with a list of the fields that have errors."""

    class Field(serializers.Serializer):  # type: ignore[type-arg]
        """A field with an error."""

        field = serializers.CharField()
        message = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = Field(many=True, required=False)  # type: ignore[assignment]
