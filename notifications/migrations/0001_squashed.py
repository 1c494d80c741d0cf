"""The schema of the notices app as commit 58a28db had it, the oldest version that can be upgraded.

Replaces the migrations that existed at that commit.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import integrations.encryption


class Migration(migrations.Migration):
    replaces = [("notices", "0001_initial"), ("notices", "0002_gathered")]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.URLField(max_length=512)),
                (
                    "secret",
                    integrations.encryption.EncryptedField(
                        blank=True, default="", editable=False, help_text="Key of the signature of each request."
                    ),
                ),
                (
                    "events",
                    models.JSONField(
                        blank=True, default=list, help_text="Kinds of notifications to send. Empty: all kinds."
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("integration_disabled", "Integration disabled"),
                            ("integration_recovered", "Integration recovered"),
                            ("mailbox_disabled", "Mailbox disabled"),
                            ("mailbox_recovered", "Mailbox recovered"),
                            ("email_set_aside", "Emails set aside"),
                            ("budget_reached", "Budget reached"),
                        ],
                        max_length=32,
                    ),
                ),
                ("text", models.TextField()),
                ("facts", models.JSONField(default=dict)),
                ("integration_id", models.BigIntegerField(null=True)),
                ("mailbox_id", models.BigIntegerField(null=True)),
                (
                    "open",
                    models.BooleanField(
                        default=False, help_text="Whether the error continues. When it ends, the recovery is announced."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "cause",
                    models.CharField(
                        blank=True, help_text="Kind of the error, if several mailboxes can have it.", max_length=64
                    ),
                ),
                (
                    "mailboxes",
                    models.JSONField(default=list, help_text="Ids of the mailboxes that still have this error."),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(condition=models.Q(("open", True)), fields=["integration_id"], name="notice_open")
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "next_at",
                    models.DateTimeField(
                        help_text="Time of the next attempt. Empty: delivered, or no further attempt.", null=True
                    ),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
                ("last_problem", models.CharField(blank=True, max_length=200)),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="notices.notice"
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="notices.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="delivery_due"
                    )
                ],
            },
        ),
    ]
