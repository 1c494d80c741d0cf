"""The schema of the sync app as commit 58a28db had it. Replaces the migrations that existed at that commit."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("sync", "0001_initial"),
        ("sync", "0002_preview_permission"),
        ("sync", "0003_send_again"),
        ("sync", "0004_activity"),
        ("sync", "0005_folder_total"),
        ("sync", "0006_probe"),
        ("sync", "0007_vanished"),
        ("sync", "0008_verification"),
        ("sync", "0009_watch"),
        ("sync", "0010_ids_of_a_source"),
        ("sync", "0011_count_from_the_index"),
        ("sync", "0012_mail_of_a_day_and_when_a_sync_was_asked_for"),
    ]

    initial = True

    dependencies = [
        ("integrations", "0001_squashed"),
        ("mailboxes", "0001_squashed"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailboxState",
            fields=[
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="mailboxes.mailbox",
                    ),
                ),
                ("next_sync_at", models.DateTimeField(help_text="When the mailbox is due. Empty: at once.", null=True)),
                (
                    "queued_until",
                    models.DateTimeField(
                        help_text="A task for this mailbox is queued. After this time the task counts as lost.",
                        null=True,
                    ),
                ),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("folders_cursor", models.TextField(blank=True)),
                (
                    "folders_of",
                    models.CharField(
                        blank=True, help_text="The address to which folders_cursor belongs.", max_length=320
                    ),
                ),
                (
                    "list_again",
                    models.BooleanField(
                        default=False, help_text="The next sync drops every cursor of this mailbox: a full resync."
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0, help_text="Failed syncs in a row.")),
                ("failing_since", models.DateTimeField(null=True)),
                ("error_kind", models.CharField(blank=True, max_length=64)),
                ("error_text", models.TextField(blank=True)),
                ("synced_at", models.DateTimeField(help_text="When a sync last finished: every folder that can be read was read to its end.", null=True)),
                ("up_to_date", models.BooleanField(default=False)),
                (
                    "send_again",
                    models.BooleanField(
                        default=False,
                        help_text="The next sync drops the ledger entries and items of the mailbox, to push missing comments again.",
                    ),
                ),
                (
                    "probe",
                    models.BooleanField(
                        default=False, help_text="Its next sync is a half-open trial of a circuit breaker."
                    ),
                ),
                (
                    "pages",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="The sum of pages of all its folders when a sync last ended: see sync.jobs.housekeeping.",
                    ),
                ),
                (
                    "went_back_at",
                    models.DateTimeField(
                        help_text="When its checkpoints were last found to be older than at the end of a sync.", null=True
                    ),
                ),
                (
                    "former_until",
                    models.DateTimeField(
                        help_text="The time until which the previous API reported every change. Empty: no stored item has an id of that API.",
                        null=True,
                    ),
                ),
                (
                    "ids_of",
                    models.CharField(
                        default="ews",
                        help_text="The API that gave the stored ids and cursors: see sync.store.source_change.",
                        max_length=16,
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When the mailbox was last made due at once, for example because it was added, started or changed.",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["next_sync_at"], name="state_due")],
            },
        ),
        migrations.CreateModel(
            name="SyncedFolder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("folder_id", models.CharField(max_length=512)),
                ("parent_id", models.CharField(blank=True, max_length=512)),
                ("name", models.CharField(max_length=512)),
                ("path", models.JSONField(default=list)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ordinary", "ordinary"),
                            ("inbox", "inbox"),
                            ("sent", "sent"),
                            ("drafts", "drafts"),
                            ("outbox", "outbox"),
                            ("junk", "junk"),
                            ("deleted", "deleted"),
                            ("sync_issues", "sync_issues"),
                            ("conversation_history", "conversation_history"),
                            ("rss", "rss"),
                        ],
                        max_length=32,
                    ),
                ),
                ("holds_mail", models.BooleanField(default=True)),
                ("gone", models.BooleanField(default=False)),
                ("cursor", models.TextField(blank=True)),
                (
                    "wanted_digest",
                    models.CharField(
                        blank=True, help_text="The filter digest with which it was last read or tried.", max_length=64
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Number of attempts at the page after the cursor that an email of the page may have ended."
                    ),
                ),
                (
                    "item_in_hand",
                    models.CharField(
                        blank=True,
                        help_text="The item that is processed now, while the emails of a page are delivered one by one.",
                        max_length=512,
                    ),
                ),
                ("up_to_date", models.BooleanField(default=False)),
                (
                    "synced_until",
                    models.DateTimeField(help_text="When the newest delivered email was received.", null=True),
                ),
                ("synced_at", models.DateTimeField(null=True)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="folders", to="mailboxes.mailbox"
                    ),
                ),
                (
                    "total",
                    models.PositiveIntegerField(
                        help_text="Number of items in it when it was last listed in the tree.", null=True
                    ),
                ),
                (
                    "pages",
                    models.PositiveBigIntegerField(
                        default=0, help_text="How often the checkpoint advanced. Never decreases."
                    ),
                ),
            ],
            options={
                "ordering": ["path"],
                "constraints": [
                    models.UniqueConstraint(fields=("mailbox", "folder_id"), name="folder_unique_in_mailbox")
                ],
            },
        ),
        migrations.CreateModel(
            name="SetAsideEmail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_id", models.CharField(max_length=512)),
                ("change_key", models.CharField(blank=True, max_length=128)),
                ("listed_id", models.CharField(blank=True, max_length=1024)),
                ("received", models.DateTimeField(null=True)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("item_class", models.CharField(blank=True, max_length=128)),
                ("stage", models.CharField(help_text="fetch, transform, push, worker or gone", max_length=16)),
                ("reason", models.CharField(max_length=512)),
                ("attempts", models.PositiveSmallIntegerField(default=1)),
                ("first_at", models.DateTimeField(auto_now_add=True)),
                ("last_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField(help_text="Empty: not by itself.", null=True)),
                ("transform_version", models.PositiveIntegerField(default=0)),
                (
                    "settled",
                    models.CharField(blank=True, help_text="delivered, gone, unwanted or dismissed. Blank: not settled", max_length=16),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="set_aside", to="mailboxes.mailbox"
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="set_aside", to="sync.syncedfolder"
                    ),
                ),
            ],
            options={
                "ordering": ["-last_at"],
                "permissions": [("preview_email", "Can read set-aside emails in a preview")],
                "indexes": [models.Index(fields=["mailbox", "retry_at"], name="set_aside_due")],
                "constraints": [
                    models.UniqueConstraint(fields=("mailbox", "item_id"), name="set_aside_unique_in_mailbox")
                ],
            },
        ),
        migrations.CreateModel(
            name="Copy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_id", models.CharField(max_length=512)),
                ("change_key", models.CharField(blank=True, max_length=128)),
                (
                    "listed_id",
                    models.CharField(
                        blank=True, help_text="Comment id from the Message-ID that the folder lists.", max_length=1024
                    ),
                ),
                (
                    "comment_id",
                    models.CharField(
                        blank=True, help_text="Comment id by the MIME header, once fetched.", max_length=1024
                    ),
                ),
                ("received", models.DateTimeField(null=True)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("verdict", models.CharField(help_text="delivered, set_aside, or why it is not wanted", max_length=32)),
                (
                    "judged_by",
                    models.CharField(
                        blank=True, help_text="The filter digest with which the verdict was reached.", max_length=64
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="copies", to="mailboxes.mailbox"
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="copies", to="sync.syncedfolder"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "copies",
                "indexes": [
                    models.Index(fields=["mailbox", "listed_id"], name="copy_listed"),
                    models.Index(fields=["comment_id"], name="copy_comment"),
                ],
                "constraints": [models.UniqueConstraint(fields=("mailbox", "item_id"), name="copy_unique_in_mailbox")],
            },
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lease_token", models.UUIDField(null=True)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("yielded", "Yielded its slot"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                            ("lost", "Worker lost"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("error_kind", models.CharField(blank=True, max_length=64)),
                ("error_text", models.TextField(blank=True)),
                ("listed", models.PositiveIntegerField(default=0)),
                ("fetched", models.PositiveIntegerField(default=0)),
                ("created", models.PositiveIntegerField(default=0)),
                ("updated", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("not_wanted", models.PositiveIntegerField(default=0)),
                ("set_aside", models.PositiveIntegerField(default=0)),
                (
                    "held_back",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Number of updates that were not pushed, because Re:infer could have billed them.",
                    ),
                ),
                (
                    "text_changes",
                    models.PositiveIntegerField(default=0, help_text="Number of updates that Re:infer counted as a changed text. Must stay 0."),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="mailboxes.mailbox"
                    ),
                ),
                (
                    "longest_wait",
                    models.PositiveIntegerField(
                        help_text="The longest time from the arrival of a new email to its comment, in seconds.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at"],
                "indexes": [
                    models.Index(fields=["mailbox", "-started_at"], name="run_of_mailbox"),
                    models.Index(fields=["-started_at"], name="run_started"),
                    models.Index(condition=models.Q(("outcome", "running")), fields=["mailbox"], name="run_open"),
                    models.Index(condition=models.Q(("outcome", "lost")), fields=["started_at"], name="run_lost"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("comment_id", models.CharField(max_length=1024)),
                (
                    "state",
                    models.CharField(choices=[("intended", "Intended"), ("confirmed", "Confirmed")], max_length=16),
                ),
                (
                    "content_digest",
                    models.CharField(
                        help_text="Digest of everything but the properties, as first pushed or as found in the bucket.", max_length=64
                    ),
                ),
                (
                    "properties_digest",
                    models.CharField(help_text="Digest of the properties, as last pushed or found. Blank: they are outdated.", max_length=64),
                ),
                (
                    "identity_digest",
                    models.CharField(
                        blank=True,
                        help_text="Digest of sender, time of sending and subject. It distinguishes emails with one Message-ID.",
                        max_length=64,
                    ),
                ),
                (
                    "winner_item",
                    models.CharField(
                        blank=True, help_text="The id of the mailbox item that was synced last.", max_length=512
                    ),
                ),
                (
                    "sequence",
                    models.PositiveBigIntegerField(
                        default=1,
                        help_text="Increased by changes. A decision is stored only if the entry still has the sequence with which it was read.",
                    ),
                ),
                (
                    "mark",
                    models.UUIDField(
                        help_text="Identifies the last intention or renewal. Any later change except its confirmation clears it.", null=True
                    ),
                ),
                (
                    "in_flight_until",
                    models.DateTimeField(
                        help_text="By this time, the push of this intention has certainly ended.", null=True
                    ),
                ),
                ("dirty", models.BooleanField(default=False, help_text="The properties have to be pushed again.")),
                (
                    "billed",
                    models.BooleanField(
                        default=False,
                        help_text="Whether this product created the comment. False if it was found in the bucket, or is not confirmed yet.",
                    ),
                ),
                (
                    "collision",
                    models.BooleanField(default=False, help_text="Two different emails have this Message-ID."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "bucket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="mailboxes.bucket"
                    ),
                ),
                (
                    "pushed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailboxes.mailbox",
                    ),
                ),
                (
                    "winner_mailbox",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailboxes.mailbox",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "indexes": [
                    models.Index(condition=models.Q(("dirty", True)), fields=["winner_mailbox"], name="entry_dirty"),
                    models.Index(fields=["winner_mailbox", "winner_item"], name="entry_winner"),
                    models.Index(
                        condition=models.Q(("billed", True)),
                        fields=["bucket", "created_at", "state"],
                        name="entry_billed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("bucket", "comment_id"), name="entry_unique_in_bucket")
                ],
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(help_text="The beginning of the hour.")),
                ("created", models.PositiveIntegerField(default=0)),
                ("updated", models.PositiveIntegerField(default=0)),
                ("set_aside", models.PositiveIntegerField(default=0)),
                (
                    "longest_wait",
                    models.PositiveIntegerField(
                        help_text="The longest time from the arrival of a new email to its comment, in seconds.", null=True
                    ),
                ),
                (
                    "bucket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="mailboxes.bucket"
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="integrations.integration",
                    ),
                ),
                (
                    "text_changes",
                    models.PositiveIntegerField(default=0, help_text="Number of updates that Re:infer counted as a changed text. Must stay 0."),
                ),
            ],
            options={
                "verbose_name_plural": "activity",
                "indexes": [models.Index(fields=["hour"], name="activity_hour")],
                "constraints": [
                    models.UniqueConstraint(fields=("integration", "bucket", "hour"), name="activity_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="verification",
                        serialize=False,
                        to="mailboxes.mailbox",
                    ),
                ),
                ("repair", models.BooleanField(default=False)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(null=True)),
                ("done_folders", models.JSONField(default=list)),
                ("cursor", models.TextField(blank=True, help_text="The cursor in the folder that is compared now.")),
                ("error_text", models.TextField(blank=True)),
                ("emails", models.PositiveIntegerField(default=0, help_text="Wanted emails in Exchange.")),
                ("well", models.PositiveIntegerField(default=0, help_text="In Re:infer, with the right properties if they name this mailbox.")),
                ("waiting", models.PositiveIntegerField(default=0, help_text="The next syncs push or update them.")),
                ("set_aside", models.PositiveIntegerField(default=0)),
                (
                    "not_wanted",
                    models.PositiveIntegerField(default=0, help_text="Not wanted, for example because of their participants."),
                ),
                ("missing", models.PositiveIntegerField(default=0, help_text="In Exchange, but not in Re:infer or not in the ledger.")),
                (
                    "outdated",
                    models.PositiveIntegerField(
                        default=0, help_text="In Re:infer with other properties than those that were pushed."
                    ),
                ),
                (
                    "surplus",
                    models.PositiveIntegerField(default=0, help_text="In Re:infer, but no longer in any mailbox of the bucket."),
                ),
                (
                    "before_folder",
                    models.JSONField(default=dict, help_text="The counts from before the folder that is compared now."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                (
                    "bucket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="comparison",
                        serialize=False,
                        to="mailboxes.bucket",
                    ),
                ),
                ("next_at", models.DateTimeField(help_text="When the bucket is compared again.")),
                ("compared_at", models.DateTimeField(null=True)),
                (
                    "stored",
                    models.PositiveBigIntegerField(
                        help_text="Number of comments that Re:infer counts. Empty: it does not report one.", null=True
                    ),
                ),
                (
                    "confirmed",
                    models.PositiveBigIntegerField(default=0, help_text="Number of confirmed entries in the ledger."),
                ),
                (
                    "missing_since",
                    models.DateTimeField(
                        help_text="Since when Re:infer counts fewer comments than the ledger has confirmed entries.", null=True
                    ),
                ),
                (
                    "surplus_since",
                    models.DateTimeField(
                        help_text="Since when a bucket of ours alone holds more than that.", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tick",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="MailDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("created", models.PositiveIntegerField(default=0)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="mailboxes.mailbox"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="mail_day")],
                "constraints": [models.UniqueConstraint(fields=("mailbox", "day"), name="mail_day_unique")],
            },
        ),
    ]
