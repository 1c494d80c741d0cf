"""Models of the notification outbox: notifications, webhooks, and deliveries of notifications to webhooks."""

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
    FOLDER_LEFT_OUT = "folder_left_out", "Folder left out"
    FOLDER_RECOVERED = "folder_recovered", "Folder recovered"
    EMAIL_SET_ASIDE = "email_set_aside", "Emails set aside"
    SLOW_EMAILS = "slow_emails", "Emails that take too long"
    BUDGET_REACHED = "budget_reached", "Budget reached"
    STANDING_STILL = "standing_still", "Standing still"
    GOING_ON = "going_on", "Going on"


class Webhook(models.Model):
    """A URL that receives notifications."""

    url = models.URLField(max_length=512)
    secret = EncryptedField(help_text="Signs what is sent.")
    events = models.JSONField(default=list, blank=True, help_text="Kinds of notices. Empty: all.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.url


class Notification(models.Model):
    """An event that people are notified of.

    Stored in the transaction of the event, and sent later. Contains ids, names, reasons and times; never content of
    emails and never a secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32, choices=NotificationKind)
    text = models.TextField()
    facts = models.JSONField(default=dict)
    integration_id = models.BigIntegerField(null=True)
    mailbox_id = models.BigIntegerField(null=True)
    cause = models.CharField(max_length=64, blank=True, help_text="What several mailboxes can have in common.")
    mailboxes = models.JSONField(default=list, help_text="Ids of those that still stand still for this cause.")
    open = models.BooleanField(default=False, help_text="Until it is over: then its recovery is told.")
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
    next_at = models.DateTimeField(null=True, help_text="Empty: it is over.")
    delivered_at = models.DateTimeField(null=True)
    last_problem = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.webhook_id or 'mail'}"
