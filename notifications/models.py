"""Models of the notification outbox: notifications, webhooks, and deliveries of notifications to webhooks or by email."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from integrations.encryption import EncryptedField


class NotificationKind(models.TextChoices):
    """The kinds of notifications. Webhook receivers get the stored value."""

    INTEGRATION_DISABLED = "integration_disabled", "Integration disabled"
    INTEGRATION_RECOVERED = "integration_recovered", "Integration recovered"
    MAILBOX_DISABLED = "mailbox_disabled", "Mailbox disabled"
    MAILBOX_RECOVERED = "mailbox_recovered", "Mailbox recovered"
    FOLDER_LEFT_OUT = "folder_left_out", "Folder cannot be read"
    FOLDER_RECOVERED = "folder_recovered", "Folder can be read again"
    EMAIL_SET_ASIDE = "email_set_aside", "Emails failed"
    SLOW_EMAILS = "slow_emails", "Emails exceed the conversion deadline"
    BUDGET_REACHED = "budget_reached", "Monthly AI unit limit reached"
    STANDING_STILL = "standing_still", "Standstill"
    GOING_ON = "going_on", "Standstill over"


class Webhook(models.Model):
    """A URL that receives notifications."""

    url = models.URLField(max_length=512)
    secret = EncryptedField(help_text="Key of the signature of each request.")
    events = models.JSONField(default=list, blank=True, help_text="Kinds of notifications to send. Empty: all kinds.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.url


class Notification(models.Model):
    """A notification about an event.

    A notification is stored in the transaction of its event, and sent later. A notification contains ids, names,
    reasons, numbers and times, but no content of emails and no secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32, choices=NotificationKind)
    text = models.TextField()
    facts = models.JSONField(default=dict)
    integration_id = models.BigIntegerField(null=True)
    mailbox_id = models.BigIntegerField(null=True)
    cause = models.CharField(
        max_length=64, blank=True, help_text="Kind of the error, if several mailboxes can have it."
    )
    mailboxes = models.JSONField(default=list, help_text="Ids of the mailboxes that still have this error.")
    open = models.BooleanField(
        default=False, help_text="Whether the error continues. When it ends, the recovery is announced."
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "notices_notice"  # the original table name
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["integration_id"], condition=Q(open=True), name="notice_open")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Delivery(models.Model):
    """The delivery of one notification to one webhook, or by email when `webhook` is empty."""

    notice = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE, related_name="deliveries")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(
        null=True, help_text="Time of the next attempt. Empty: delivered, or no further attempt."
    )
    delivered_at = models.DateTimeField(null=True)
    last_problem = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.webhook_id or 'mail'}"
