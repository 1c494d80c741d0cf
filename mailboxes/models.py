"""Mailboxes and buckets: which mail is wanted, and where its comments go."""

from __future__ import annotations

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from integrations.bidi import closed
from integrations.errors import sentence
from integrations.models import NAME, PROJECT_NAME, CircuitBreaker, Destination, DisabledReason, Integration
from mailboxes.rules import Rules


class Bucket(CircuitBreaker):
    """`project/name` at a destination: the target of the comments of one or more mailboxes."""

    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="buckets")
    project = models.CharField(max_length=1024, validators=[PROJECT_NAME])
    name = models.CharField(max_length=256, validators=[NAME])
    trusted = models.BooleanField(
        default=False,
        editable=False,
        help_text="The ledger has an entry for every comment of the bucket. If not set, Re:infer is asked about comments "
        "without an entry before they are pushed.",
    )
    examined_at = models.DateTimeField(null=True, blank=True, editable=False)
    refusals = models.CharField(
        max_length=100,
        blank=True,
        default="",
        editable=False,
        help_text="The outcomes of the last pushed comments, + or -: see sync.engine.circuit_breaker.",
    )
    pardoned_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Until this time, refused emails become failed emails, and the circuit breaker stays closed.",
    )
    monthly_limit = models.PositiveIntegerField(
        "AI units a month",
        null=True,
        blank=True,
        help_text="When the limit is reached, the mailboxes of the bucket stop until the month ends or you raise the limit. "
        "A batch that is being pushed is still delivered. If empty, there is no limit.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project", "name"]
        constraints = [
            models.UniqueConstraint(fields=["destination", "project", "name"], name="bucket_unique_at_destination")
        ]

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"


class Mailbox(models.Model):
    """One mailbox address with its bucket, start time and filters."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="mailboxes")
    bucket = models.ForeignKey(Bucket, on_delete=models.PROTECT, related_name="mailboxes")
    address = models.EmailField(max_length=320)
    start_at = models.DateTimeField(
        "start time", null=True, blank=True, help_text="Only mail received from this time on. If empty, all mail."
    )
    folder_allow = models.JSONField(default=list, blank=True)
    folder_deny = models.JSONField(default=list, blank=True)
    participant_allow = models.JSONField(default=list, blank=True)
    participant_deny = models.JSONField(default=list, blank=True)
    domain_allow = models.JSONField(default=list, blank=True)
    domain_deny = models.JSONField(default=list, blank=True)
    meetings = models.BooleanField("meeting messages", default=False)
    reports = models.BooleanField("delivery and read reports", default=False)

    enabled = models.BooleanField(default=True, editable=False)
    disabled_reason = models.CharField(max_length=16, choices=DisabledReason, blank=True, default="", editable=False)
    disabled_kind = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The kind of the error that disabled the mailbox.",
    )
    disabled_detail = models.TextField(blank=True, editable=False, validators=[MaxLengthValidator(4096)])
    disabled_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When an error or a quota last disabled the mailbox."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "mailboxes"
        constraints = [
            models.UniqueConstraint("integration", Lower("address"), name="mailbox_unique_in_integration"),
            models.CheckConstraint(
                condition=Q(enabled=True, disabled_reason="") | Q(enabled=False) & ~Q(disabled_reason=""),
                name="mailbox_disabled_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return closed(self.address)

    @property
    def disabled_sentence(self) -> str:
        """Return why the mailbox is disabled, as text for users; empty when a user disabled it."""
        return sentence(self.disabled_kind, self.disabled_detail)

    def rules(self) -> Rules:
        """Return the filters of the mailbox as rules."""
        return Rules(
            start=self.start_at,
            folder_allow=tuple(tuple(path) for path in self.folder_allow),
            folder_deny=tuple(tuple(path) for path in self.folder_deny),
            participant_allow=tuple(self.participant_allow),
            participant_deny=tuple(self.participant_deny),
            domain_allow=tuple(self.domain_allow),
            domain_deny=tuple(self.domain_deny),
            meetings=self.meetings,
            reports=self.reports,
        )
