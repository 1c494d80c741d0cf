"""The schema of the integrations app in the oldest version that can be upgraded, commit 58a28db.

This migration replaces the migrations of that version.
"""

import django.core.validators
from django.db import migrations, models

import integrations.encryption


class Migration(migrations.Migration):
    replaces = [
        ("integrations", "0001_initial"),
        ("integrations", "0002_roles"),
        ("integrations", "0003_graph"),
        ("integrations", "0004_graph_by_oauth_only"),
        ("integrations", "0005_disabled_at"),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("held_since", models.DateTimeField(blank=True, editable=False, null=True)),
                ("held_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("held_kind", models.CharField(blank=True, editable=False, max_length=64)),
                ("held_detail", models.TextField(blank=True, editable=False)),
                ("name", models.CharField(max_length=128, unique=True)),
                (
                    "endpoint",
                    models.URLField(
                        help_text="For example https://cloud.uipath.com/organisation/tenant/reinfer_. A path in the address is kept.",
                        max_length=512,
                        verbose_name="API endpoint",
                    ),
                ),
                (
                    "token",
                    integrations.encryption.EncryptedField(
                        blank=True, default="", editable=False, verbose_name="API token"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Integration",
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
                ("title", models.CharField(blank=True, max_length=256)),
                (
                    "microsoft_api",
                    models.CharField(
                        choices=[("ews", "Exchange Web Services"), ("graph", "Microsoft Graph")],
                        default="ews",
                        max_length=16,
                        verbose_name="API",
                    ),
                ),
                (
                    "endpoint",
                    models.URLField(
                        help_text="For EWS, it usually ends in /EWS/Exchange.asmx. For Graph, it is usually https://graph.microsoft.com.",
                        max_length=512,
                    ),
                ),
                (
                    "auth",
                    models.CharField(
                        choices=[
                            ("ntlm", "NTLM (service account)"),
                            ("basic", "Basic (service account)"),
                            ("oauth2", "OAuth 2 (app with client secret)"),
                            ("certificate", "OAuth 2 (app with certificate)"),
                            ("service_user", "OAuth 2 (service user)"),
                        ],
                        default="ntlm",
                        max_length=16,
                        verbose_name="sign-in",
                    ),
                ),
                (
                    "access",
                    models.CharField(
                        choices=[("impersonation", "Impersonation"), ("delegate", "Delegate")],
                        default="impersonation",
                        max_length=16,
                        verbose_name="access type",
                    ),
                ),
                ("username", models.CharField(blank=True, help_text="DOMAIN\\user or user@domain.", max_length=256)),
                ("password", integrations.encryption.EncryptedField(blank=True, default="", editable=False)),
                ("tenant_id", models.CharField(blank=True, max_length=128, verbose_name="tenant ID")),
                ("client_id", models.CharField(blank=True, max_length=128, verbose_name="application (client) ID")),
                ("client_secret", integrations.encryption.EncryptedField(blank=True, default="", editable=False)),
                (
                    "authority",
                    models.URLField(
                        default="https://login.microsoftonline.com",
                        help_text="Change it only for a national cloud.",
                        max_length=512,
                        verbose_name="sign-in service",
                    ),
                ),
                (
                    "build_version",
                    models.CharField(
                        blank=True,
                        help_text="For example 15.1.2507.39. Saves one request per worker process.",
                        max_length=32,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^\\d{1,3}(\\.\\d{1,5}){1,3}\\Z", "Two to four numbers with dots, for example 15.1.2507.39."
                            )
                        ],
                    ),
                ),
                (
                    "tls_minimum",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "System default"),
                            ("1.0", "TLS 1.0"),
                            ("1.1", "TLS 1.1"),
                            ("1.2", "TLS 1.2"),
                            ("1.3", "TLS 1.3"),
                        ],
                        default="",
                        max_length=8,
                        verbose_name="minimum TLS version",
                    ),
                ),
                (
                    "tls_ciphers",
                    models.CharField(
                        blank=True, help_text="In OpenSSL's notation.", max_length=1024, verbose_name="TLS cipher list"
                    ),
                ),
                (
                    "ca_bundle",
                    models.TextField(
                        blank=True,
                        help_text="PEM certificates that are trusted in addition to those of the system.",
                        verbose_name="CA bundle",
                    ),
                ),
                (
                    "proxy",
                    models.CharField(blank=True, help_text="For example http://proxy.example:3128.", max_length=512),
                ),
                ("user_agent", models.CharField(blank=True, max_length=128)),
                (
                    "poll_interval",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                    ),
                ),
                (
                    "most_at_once",
                    models.PositiveSmallIntegerField(
                        default=4,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(64),
                        ],
                        verbose_name="mailboxes at once",
                    ),
                ),
                ("enabled", models.BooleanField(default=False, editable=False)),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("user", "Stopped by a user"),
                            ("quota", "Quota reached"),
                            ("sync_error", "Stopped by an error"),
                        ],
                        default="user",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("disabled_detail", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "client_certificate",
                    models.TextField(
                        blank=True, help_text="PEM, as it was uploaded to the Entra app.", verbose_name="certificate"
                    ),
                ),
                (
                    "client_key",
                    integrations.encryption.EncryptedField(
                        blank=True, default="", editable=False, verbose_name="private key"
                    ),
                ),
                (
                    "client_thumbprint",
                    models.CharField(
                        blank=True,
                        help_text="As Entra shows it. Not needed if the certificate is entered.",
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})\\Z", "40 or 64 hexadecimal digits."
                            )
                        ],
                        verbose_name="certificate thumbprint",
                    ),
                ),
                (
                    "disabled_at",
                    models.DateTimeField(
                        blank=True, editable=False, help_text="When an error or a quota last disabled it.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["project", "name"],
                "permissions": [
                    ("operate", "Can start, stop, test, sync now and try again"),
                    ("administer", "Can add, change and delete integrations, mailboxes and destinations"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "name"), name="integration_project_name_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_reason", ""), ("enabled", True)),
                            models.Q(("enabled", False), models.Q(("disabled_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="integration_disabled_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("auth__in", ["ntlm", "basic"]), ("microsoft_api", "graph"), _negated=True),
                        name="integration_graph_by_oauth_only",
                    ),
                ],
            },
        ),
    ]
