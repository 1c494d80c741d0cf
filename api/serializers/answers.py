"""What every part of the API answers: what an action did, what a test found, what is wrong."""

from __future__ import annotations

from rest_framework import serializers


class ActionAnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What an action did, in words."""

    detail = serializers.CharField()
    look_at = serializers.CharField(required=False, help_text="Where to see what comes of it.")


class Checked(serializers.Serializer):  # type: ignore[type-arg]
    """What a test found, step by step."""

    class DiagnosisStepSerializer(serializers.Serializer):  # type: ignore[type-arg]
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
        field = serializers.CharField()
        message = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = Field(many=True, required=False)  # type: ignore[assignment]
