"""Sync runs, failed emails, the overview and previews."""

from __future__ import annotations

from rest_framework import serializers

from sync.models import DeadLetter, SyncRun


class RunSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A sync run."""

    class Meta:
        """Options of the serializer."""

        model = SyncRun
        fields = (
            *("id", "mailbox", "started_at", "ended_at", "outcome", "error_kind", "error_text", "listed", "fetched"),
            *("created", "updated", "unchanged", "not_wanted", "set_aside", "held_back"),
        )


class SyncErrorSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A failed sync run, in the format of Re:infer."""

    id = serializers.CharField()
    integration = serializers.CharField(help_text="project/name")
    mailbox_name = serializers.CharField()
    error_text = serializers.CharField()
    error_details = serializers.DictField(help_text="kind and full_error_text")
    created_at = serializers.DateTimeField()


class DeadLetterSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A failed email, without its content."""

    folder_path = serializers.SerializerMethodField()

    class Meta:
        """Options of the serializer."""

        model = DeadLetter
        fields = (
            *("id", "mailbox", "folder_path", "stage", "kind", "reason", "attempts", "received", "size"),
            *("first_at", "last_at", "retry_at", "settled", "settled_at"),
        )

    def get_folder_path(self, row: DeadLetter) -> list[str]:
        """Return the path of its folder.

        Args:
            row: The failed email.

        Returns:
            The names of the folders.
        """
        return list(row.folder.path)


class OverviewSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The state of the product."""

    class Attention(serializers.Serializer):  # type: ignore[type-arg]
        """An alert: something that an admin must repair or decide."""

        about = serializers.CharField()
        title = serializers.CharField()
        text = serializers.CharField()
        kind = serializers.CharField(help_text="The kind of the error, as in the error catalogue.")
        count = serializers.IntegerField()
        since = serializers.DateTimeField(allow_null=True)

    class Polls(serializers.Serializer):  # type: ignore[type-arg]
        """The rate of polls."""

        needed_per_second = serializers.FloatField(
            help_text="Needed by the poll intervals of the mailboxes that are up to date."
        )
        done_per_second = serializers.FloatField()
        measured_at = serializers.DateTimeField(help_text="The end of the minute that was measured.")

    mailboxes = serializers.DictField(child=serializers.IntegerField(), help_text="The number of mailboxes by state.")
    polls = Polls(allow_null=True, help_text="The rate of the last minute; null while nothing was measured.")
    comments_last_24_hours = serializers.IntegerField()
    set_aside = serializers.IntegerField(help_text="Failed emails.")
    attention = Attention(many=True)


class NewlyWantedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Emails that only the rules of a newer release want."""

    waiting = serializers.IntegerField(help_text="Emails that are waiting for a decision.")
    ai_units = serializers.IntegerField(help_text="AI units that their delivery costs.")
    is_most = serializers.BooleanField(
        help_text="ai_units is an upper bound: drafts and participants are checked when the emails are fetched."
    )
    is_counting = serializers.BooleanField(help_text="Folders are still scanned: the numbers can grow.")
    coming = serializers.IntegerField(help_text="Accepted, and not delivered yet.")
    left = serializers.IntegerField(help_text="Left in Exchange by a decision.")


class CommentPreview(serializers.Serializer):  # type: ignore[type-arg]
    """The comment that an email becomes, or why it becomes none."""

    class CutSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """A part that was cut from the text, and the rule."""

        rule = serializers.CharField()
        text = serializers.CharField()

    comment = serializers.DictField(required=False)
    cuts = CutSerializer(many=True, required=False)
    rejection = serializers.CharField(required=False)
