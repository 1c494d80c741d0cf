"""Serializers of a mailbox in the format of Re:infer, of its folders, and of its verification."""

from __future__ import annotations

from rest_framework import serializers

from api.serializers.strict import Moment, Typed
from sync.models import SyncedFolder, Verification


class BucketSpecification(Typed):
    """The bucket of a mailbox."""

    project_name = serializers.CharField(max_length=1024)
    name = serializers.CharField(max_length=256)
    title = serializers.CharField(required=False, allow_null=True)
    destination = serializers.CharField(
        required=False, help_text="Name of the destination. Required if there are several destinations."
    )


class MailboxSerializer(Typed):
    """A mailbox in the format of Re:infer, with additional keys of this product."""

    email = serializers.EmailField(max_length=320)
    enabled = serializers.BooleanField(required=False)
    disabled_reason = serializers.ChoiceField(("user", "quota", "sync_error"), required=False, allow_null=True)
    folder_allowlist = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=1), required=False
    )
    folder_denylist = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=1), required=False
    )
    participant_allowlist = serializers.ListField(child=serializers.EmailField(), required=False)
    participant_denylist = serializers.ListField(child=serializers.EmailField(), required=False)
    participant_domain_allowlist = serializers.ListField(child=serializers.CharField(), required=False)
    participant_domain_denylist = serializers.ListField(child=serializers.CharField(), required=False)
    start_timestamp = Moment(required=False, allow_null=True)
    meeting_messages = serializers.BooleanField(required=False)
    delivery_reports = serializers.BooleanField(required=False)
    bucket_specification = BucketSpecification()


class MailboxStateSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The sync state of a mailbox."""

    status = serializers.CharField(
        help_text="needs_you, held (paused: a circuit breaker is open, or the mailbox waits for a retry after an error), "
        "overdue, waiting, listing, in_progress, left_out, up_to_date, stopped"
    )
    detail = serializers.CharField(
        help_text="The reason for the status, and what happens next. Empty if the status is enough."
    )
    synced_at = serializers.DateTimeField(allow_null=True)
    synced_until = serializers.DateTimeField(allow_null=True)
    delivered = serializers.IntegerField()
    set_aside = serializers.IntegerField(help_text="Number of failed emails.")
    folders_left_out = serializers.IntegerField(
        help_text="Number of folders for which the account has no read permission. `folders?left_out=true` lists them."
    )
    folders_not_read = serializers.IntegerField(
        help_text="Number of folders that are not read, because they are hidden or their class is not mail. `folders-not-read` "
        "lists them."
    )


class MailboxAnswer(MailboxSerializer):
    """A mailbox with its sync state."""

    id = serializers.IntegerField()
    integration = serializers.CharField(help_text="project/name")
    sync = MailboxStateSerializer()


class FolderSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A folder that contains mail. A folder that is left out is not synced."""

    status = serializers.SerializerMethodField()

    class Meta:
        """Options of the serializer."""

        model = SyncedFolder
        fields = (
            *(
                "id",
                "mailbox",
                "path",
                "kind",
                "status",
                "total",
                "counted",
                "usual_difference",
                "synced_until",
                "synced_at",
            ),
            *("left_out", "refused_kind", "refused_detail", "refused_since", "retry_at"),
        )

    def get_status(self, row: SyncedFolder) -> str:
        """Return the status in the format of Re:infer.

        Args:
            row: The folder.

        Returns:
            UP_TO_DATE or IN_PROGRESS.
        """
        return "UP_TO_DATE" if row.up_to_date else "IN_PROGRESS"


class FolderNotReadSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A folder that is not read, because its class is not mail or because it is hidden."""

    why = serializers.CharField(source="why_not_read")

    class Meta:
        """Options of the serializer."""

        model = SyncedFolder
        fields = ("id", "mailbox", "path", "folder_class", "hidden", "total", "why")


class VerificationSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """The progress and the result of a verification."""

    sentence = serializers.CharField(
        read_only=True,
        help_text="The result as text. If nothing could be compared: the reason and the required action.",
    )

    class Meta:
        """Options of the serializer."""

        model = Verification
        fields = (
            *("mailbox", "repair", "started_at", "ended_at", "error_text", "sentence", "folders", "emails", "well"),
            *("waiting", "set_aside", "not_wanted", "missing", "outdated", "surplus", "left_out"),
        )
