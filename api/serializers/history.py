"""Serializer of audit entries."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.models import AuditEntry


class AuditEntrySerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """An audit entry: an action of a user or command."""

    changes = serializers.SerializerMethodField()

    class FieldChangeSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """A changed field: its name and its values, as display texts."""

        what = serializers.CharField()
        before = serializers.CharField()
        after = serializers.CharField()

    class Meta:
        """Options of the serializer."""

        model = AuditEntry
        fields = ("id", "at", "who", "about", "object_id", "integration_id", "text", "changes")

    @extend_schema_field(FieldChangeSerializer(many=True))
    def get_changes(self, row: AuditEntry) -> list[dict[str, str]]:
        """Return the changes as objects.

        Args:
            row: The audit entry.

        Returns:
            Objects with the keys `what` (the field), `before` and `after`.
        """
        return [dict(zip(("what", "before", "after"), change, strict=True)) for change in row.changes]
