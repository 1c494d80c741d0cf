"""Responses that all parts of the API share: the result of an action, of a test, and an error."""

from __future__ import annotations

from rest_framework import serializers


class ActionAnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The result of an action, in words."""

    detail = serializers.CharField()
    look_at = serializers.CharField(required=False, help_text="The path where the effect can be seen.")


class Checked(serializers.Serializer):  # type: ignore[type-arg]
    """The result of a test, step by step."""

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
    """Problem details, RFC 9457."""

    class Field(serializers.Serializer):  # type: ignore[type-arg]
        """A field with an error."""

        field = serializers.CharField()
        message = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = Field(many=True, required=False)  # type: ignore[assignment]
