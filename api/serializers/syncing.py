"""What syncing did, and what became of single emails."""

from __future__ import annotations

from rest_framework import serializers

from sync.models import DeadLetter, SyncRun


class RunSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = SyncRun
        fields = (
            *("id", "mailbox", "started_at", "ended_at", "outcome", "error_kind", "error_text", "listed", "fetched"),
            *("created", "updated", "unchanged", "not_wanted", "set_aside", "held_back"),
        )


class SyncErrorSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A sync that failed, as the vendor tells it."""

    id = serializers.CharField()
    integration = serializers.CharField(help_text="project/name")
    mailbox_name = serializers.CharField()
    error_text = serializers.CharField()
    error_details = serializers.DictField(help_text="kind and full_error_text")
    created_at = serializers.DateTimeField()


class DeadLetterSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    folder_path = serializers.SerializerMethodField()

    class Meta:
        model = DeadLetter
        fields = (
            *("id", "mailbox", "folder_path", "stage", "kind", "reason", "attempts", "received", "size"),
            *("first_at", "last_at", "retry_at", "settled", "settled_at"),
        )

    def get_folder_path(self, row: DeadLetter) -> list[str]:
        return list(row.folder.path)


class OverviewSerializer(serializers.Serializer):  # type: ignore[type-arg]
    class Attention(serializers.Serializer):  # type: ignore[type-arg]
        about = serializers.CharField()
        title = serializers.CharField()
        text = serializers.CharField()
        kind = serializers.CharField(help_text="Of the error, as in the catalogue.")
        count = serializers.IntegerField()
        since = serializers.DateTimeField(allow_null=True)

    class Polls(serializers.Serializer):  # type: ignore[type-arg]
        needed_per_second = serializers.FloatField(help_text="By the intervals of the mailboxes that are up to date.")
        done_per_second = serializers.FloatField()
        measured_at = serializers.DateTimeField(help_text="The end of the minute that was measured.")

    mailboxes = serializers.DictField(child=serializers.IntegerField(), help_text="How many are in which state.")
    polls = Polls(allow_null=True, help_text="Of the last minute; null while nothing was measured.")
    comments_last_24_hours = serializers.IntegerField()
    set_aside = serializers.IntegerField()
    attention = Attention(many=True)


class NewlyWantedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Emails that only the rules of a newer release want."""

    waiting = serializers.IntegerField(help_text="For an answer.")
    ai_units = serializers.IntegerField(help_text="That those cost if they are brought.")
    is_most = serializers.BooleanField(
        help_text="Some may not come: drafts and participants are looked into when fetched."
    )
    is_counting = serializers.BooleanField(help_text="Folders are still looked through: it may become more.")
    coming = serializers.IntegerField(help_text="To be brought, and not there yet.")
    left = serializers.IntegerField()


class CommentPreview(serializers.Serializer):  # type: ignore[type-arg]
    """The comment that an email becomes, or why it becomes none."""

    class CutSerializer(serializers.Serializer):  # type: ignore[type-arg]
        rule = serializers.CharField()
        text = serializers.CharField()

    comment = serializers.DictField(required=False)
    cuts = CutSerializer(many=True, required=False)
    rejection = serializers.CharField(required=False)
