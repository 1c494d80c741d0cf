"""The schema of the mailboxes app in the oldest version that can be upgraded, commit 58a28db.

This migration replaces the migrations of that version.
"""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("mailboxes", "0001_initial"),
        ("mailboxes", "0002_bucket_monthly_limit"),
        ("mailboxes", "0003_breaker"),
        ("mailboxes", "0004_disabled_at"),
    ]

    initial = True

    dependencies = [
        ("integrations", "0001_squashed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bucket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("held_since", models.DateTimeField(blank=True, editable=False, null=True)),
                ("held_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("held_kind", models.CharField(blank=True, editable=False, max_length=64)),
                ("held_detail", models.TextField(blank=True, editable=False)),
                (
                    "project",
                    models.CharField(
                        max_length=1024,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9_.-]{1,1024}\\Z", "Only letters, digits, dots, hyphens and underscores."
                            )
                        ],
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=256,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9_-]{1,256}\\Z",
                                "Only letters, digits, hyphens and underscores, at most 256.",
                            )
                        ],
                    ),
                ),
                (
                    "trusted",
                    models.BooleanField(
                        default=False,
                        editable=False,
                        help_text="The ledger has an entry for every comment of the bucket. If not set, Re:infer is asked about comments without an entry before they are pushed.",
                    ),
                ),
                ("examined_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="buckets",
                        to="integrations.destination",
                    ),
                ),
                (
                    "monthly_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="When the limit is reached, the mailboxes of the bucket stop until the month ends or you raise the limit. A batch that is being pushed is still delivered. If empty, there is no limit.",
                        null=True,
                        verbose_name="AI units a month",
                    ),
                ),
                (
                    "pardoned_until",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Until this time, refused emails become failed emails, and the circuit breaker stays closed.",
                        null=True,
                    ),
                ),
                (
                    "refusals",
                    models.CharField(
                        blank=True,
                        default="",
                        editable=False,
                        help_text="The outcomes of the last pushed comments, + or -: see sync.engine.circuit_breaker.",
                        max_length=100,
                    ),
                ),
            ],
            options={
                "ordering": ["project", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("destination", "project", "name"), name="bucket_unique_at_destination"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Mailbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.EmailField(max_length=320)),
                (
                    "start_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Only mail received from this time on. If empty, all mail.",
                        null=True,
                        verbose_name="start time",
                    ),
                ),
                ("folder_allow", models.JSONField(blank=True, default=list)),
                ("folder_deny", models.JSONField(blank=True, default=list)),
                ("participant_allow", models.JSONField(blank=True, default=list)),
                ("participant_deny", models.JSONField(blank=True, default=list)),
                ("domain_allow", models.JSONField(blank=True, default=list)),
                ("domain_deny", models.JSONField(blank=True, default=list)),
                ("meetings", models.BooleanField(default=False, verbose_name="meeting messages")),
                ("reports", models.BooleanField(default=False, verbose_name="delivery and read reports")),
                ("enabled", models.BooleanField(default=True, editable=False)),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("user", "Stopped by a user"),
                            ("quota", "Quota reached"),
                            ("sync_error", "Stopped by an error"),
                        ],
                        default="",
                        editable=False,
                        max_length=16,
                    ),
                ),
                (
                    "disabled_detail",
                    models.TextField(
                        blank=True, editable=False, validators=[django.core.validators.MaxLengthValidator(4096)]
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "bucket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mailboxes", to="mailboxes.bucket"
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailboxes",
                        to="integrations.integration",
                    ),
                ),
                (
                    "disabled_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When an error or a quota last disabled the mailbox.",
                        null=True,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "mailboxes",
                "ordering": ["address"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("integration"),
                        django.db.models.functions.text.Lower("address"),
                        name="mailbox_unique_in_integration",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_reason", ""), ("enabled", True)),
                            models.Q(("enabled", False), models.Q(("disabled_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="mailbox_disabled_has_a_reason",
                    ),
                ],
            },
        ),
    ]
