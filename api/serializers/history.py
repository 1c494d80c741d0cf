"""Who did what."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.models import AuditEntry


class AuditEntrySerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """Somebody did something."""

    changes = serializers.SerializerMethodField()

    class FieldChangeSerializer(serializers.Serializer):  # type: ignore[type-arg]
        what = serializers.CharField()
        before = serializers.CharField()
        after = serializers.CharField()

    class Meta:
        model = AuditEntry
        fields = ("id", "at", "who", "about", "object_id", "integration_id", "text", "changes")

    @extend_schema_field(FieldChangeSerializer(many=True))
    def get_changes(self, row: AuditEntry) -> list[dict[str, str]]:
        return [dict(zip(("what", "before", "after"), change, strict=True)) for change in row.changes]
