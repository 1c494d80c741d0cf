"""The schema of the access app as commit 58a28db had it, the oldest version that can be upgraded.

Replaces the migrations that existed at that commit.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("access", "0001_initial"), ("access", "0002_api_token"), ("access", "0003_sign_in_attempts")]

    initial = True

    dependencies = [
        ("auth", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "who",
                    models.CharField(
                        help_text="Name of the user or command. It is kept when the user is deleted.", max_length=150
                    ),
                ),
                (
                    "about",
                    models.CharField(
                        help_text=(
                            "Kind of object: integration, mailbox, destination, bucket, set-aside (a failed email). "
                            "Empty for others."
                        ),
                        max_length=32,
                    ),
                ),
                ("object_id", models.BigIntegerField(null=True)),
                (
                    "integration_id",
                    models.BigIntegerField(help_text="Id of the integration that the object is or belongs to.", null=True),
                ),
                ("text", models.CharField(max_length=1024)),
                (
                    "changes",
                    models.JSONField(
                        default=list, help_text="List of [field, value before, value after], as display text."
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["integration_id", "-at"], name="act_of_integration"),
                    models.Index(fields=["about", "object_id", "-at"], name="act_of_object"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("digest", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("token_key", models.CharField(db_index=True, max_length=25)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=100)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="auth_token_set",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "ordering": ["-created"],
            },
        ),
        migrations.CreateModel(
            name="SignInAttempts",
            fields=[
                ("slot", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(default=0, help_text="Number of consecutive failures.")),
                ("last_at", models.DateTimeField()),
                ("wait_until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "sign-in attempts",
            },
        ),
    ]
