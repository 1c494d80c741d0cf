"""Models of access control: audit entries, API tokens and counters of failed sign-ins."""

from __future__ import annotations

import uuid

from django.db import models
from knox.models import AbstractAuthToken


class AuditEntry(models.Model):
    """One line of the audit log: actor, action, object, time, and the values before and after. It contains no secret."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    who = models.CharField(
        max_length=150, help_text="Name of the user or command. It is kept when the user is deleted."
    )
    about = models.CharField(
        max_length=32,
        help_text=(
            "Kind of object: integration, mailbox, destination, bucket, set-aside (a failed email). Empty for others."
        ),
    )
    object_id = models.BigIntegerField(null=True)
    integration_id = models.BigIntegerField(
        null=True, help_text="Id of the integration that the object is or belongs to."
    )
    text = models.CharField(max_length=1024)
    changes = models.JSONField(default=list, help_text="List of [field, value before, value after], as display text.")

    class Meta:
        db_table = "access_act"  # the original table name
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["integration_id", "-at"], name="act_of_integration"),
            models.Index(fields=["about", "object_id", "-at"], name="act_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.text}"


class ApiToken(AbstractAuthToken):
    """An API token, stored as a digest. Expired and revoked tokens are rejected."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name


class SignInAttempts(models.Model):
    """Counter of failed sign-ins. A digest of user name and browser selects the row: see `access.attempts`."""

    slot = models.PositiveIntegerField(primary_key=True)
    failures = models.PositiveIntegerField(default=0, help_text="Number of consecutive failures.")
    last_at = models.DateTimeField()
    wait_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "sign-in attempts"

    def __str__(self) -> str:
        return f"{self.failures} failed attempts"
