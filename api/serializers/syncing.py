"""Serializers of sync runs, failed emails, the overview and previews."""

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
        """Return the path of the folder of the email.

        Args:
            row: The failed email.

        Returns:
            The folder names, from the top folder to the folder of the email.
        """
        return list(row.folder.path)


class OverviewSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The state of the installation."""

    class Attention(serializers.Serializer):  # type: ignore[type-arg]
        """An alert: a state that requires an action of an administrator."""

        about = serializers.CharField()
        title = serializers.CharField()
        text = serializers.CharField()
        kind = serializers.CharField(help_text="The kind of the error, as in the error catalogue. Empty: no error.")
        count = serializers.IntegerField()
        since = serializers.DateTimeField(allow_null=True)

    class Polls(serializers.Serializer):  # type: ignore[type-arg]
        """Polls per second: how many are required, and how many were done."""

        needed_per_second = serializers.FloatField(
            help_text="The rate that the mailboxes that are up to date require, according to their poll intervals."
        )
        done_per_second = serializers.FloatField()
        measured_at = serializers.DateTimeField(help_text="End of the measured period, which is usually a minute.")

    mailboxes = serializers.DictField(child=serializers.IntegerField(), help_text="Number of mailboxes by status.")
    polls = Polls(
        allow_null=True, help_text="The last measured rates; null if none were measured in the last 5 minutes."
    )
    comments_last_24_hours = serializers.IntegerField()
    set_aside = serializers.IntegerField(help_text="Number of failed emails.")
    attention = Attention(many=True)


class NewlyWantedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Emails that only the rules of a newer release include, and that arrived before the upgrade to that release."""

    waiting = serializers.IntegerField(help_text="Number of emails that are waiting for a decision.")
    ai_units = serializers.IntegerField(help_text="AI units that the delivery of these emails costs.")
    is_most = serializers.BooleanField(
        help_text="Whether ai_units is an upper bound: some emails can prove unwanted only after they are fetched."
    )
    is_counting = serializers.BooleanField(
        help_text="Whether folders are still being scanned. Then the numbers can grow."
    )
    coming = serializers.IntegerField(help_text="Number of emails that were accepted and are not delivered yet.")
    left = serializers.IntegerField(help_text="Number of emails that an administrator decided not to deliver.")


class CommentPreview(serializers.Serializer):  # type: ignore[type-arg]
    """The comment into which an email is converted, or the reason why it is not converted."""

    class CutSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """A part that was cut from the text, and the rule that cut it."""

        rule = serializers.CharField()
        text = serializers.CharField()

    comment = serializers.DictField(required=False)
    cuts = CutSerializer(many=True, required=False)
    rejection = serializers.CharField(required=False)
