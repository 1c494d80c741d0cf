"""Models of the connections: to Exchange, from which mail is read, and to Re:infer, to which comments are pushed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from integrations import binding
from integrations.bidi import closed
from integrations.binding import Place, Route
from integrations.bound import BindsSecrets
from integrations.encryption import EncryptedField
from integrations.errors import SecretElsewhere, TokenElsewhere, sentence

PROJECT_NAME = RegexValidator(r"^[A-Za-z0-9_.-]{1,1024}\Z", "Only letters, digits, dots, hyphens and underscores.")
NAME = RegexValidator(r"^[A-Za-z0-9_-]{1,256}\Z", "Only letters, digits, hyphens and underscores, at most 256.")


class DisabledReason(models.TextChoices):
    """Why an integration or a mailbox is disabled. The vendor's product uses the same values."""

    USER = "user", "Stopped by a user"
    QUOTA = "quota", "Quota reached"
    SYNC_ERROR = "sync_error", "Stopped by an error"


RUNNING = {"enabled": True, "disabled_reason": "", "disabled_kind": "", "disabled_detail": ""}
"""The field values that are saved when a user starts a mailbox or an integration."""
STOPPED = {"enabled": False, "disabled_reason": DisabledReason.USER, "disabled_kind": "", "disabled_detail": ""}
"""The field values that are saved when a user stops a mailbox or an integration."""


class CircuitBreaker(models.Model):
    """Abstract base of rows with a circuit breaker.

    While the circuit breaker is open, no mailbox of the row syncs. After `held_until`, one mailbox syncs as a half-open
    trial. An admin can close the circuit breaker earlier.

    Attributes:
        held_since: When the circuit breaker opened; None while it is closed.
        held_until: When the next half-open trial is due; None while the circuit breaker is closed.
        held_kind: The kind of the error that opened the circuit breaker.
        held_detail: The detail of that error.
    """

    held_since = models.DateTimeField(null=True, blank=True, editable=False)
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    held_kind = models.CharField(max_length=64, blank=True, editable=False)
    held_detail = models.TextField(blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_held(self) -> bool:
        """Return whether the circuit breaker is open or half-open."""
        return self.held_until is not None


class Destination(BindsSecrets, CircuitBreaker):
    """A Re:infer tenant: API endpoint and token."""

    place_fields: ClassVar = binding.DESTINATION_FIELDS
    places_of: ClassVar[Callable[[Mapping[str, Any]], dict[str, Place]]] = staticmethod(binding.places_of_destination)
    route_of: ClassVar[Callable[[Mapping[str, Any]], Route]] = staticmethod(binding.route_of_destination)
    refusal: ClassVar[type[SecretElsewhere]] = TokenElsewhere

    name = models.CharField(max_length=128, unique=True)
    endpoint = models.URLField(
        "API endpoint",
        max_length=512,
        help_text="For example https://cloud.uipath.com/organisation/tenant/reinfer_. A path in the address is kept.",
    )
    token = EncryptedField("API token")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        """Return the name."""
        return closed(self.name)


class Integration(BindsSecrets, CircuitBreaker):
    """One connection to Exchange with its credentials. Each mailbox belongs to one integration."""

    place_fields: ClassVar = binding.INTEGRATION_FIELDS
    places_of: ClassVar[Callable[[Mapping[str, Any]], dict[str, Place]]] = staticmethod(binding.places_of_integration)
    route_of: ClassVar[Callable[[Mapping[str, Any]], Route]] = staticmethod(binding.route_of_integration)

    class Api(models.TextChoices):
        """The Microsoft API with which mail is read."""

        EWS = "ews", "Exchange Web Services"
        GRAPH = "graph", "Microsoft Graph"

    class Auth(models.TextChoices):
        """The kind of sign-in."""

        NTLM = "ntlm", "NTLM (service account)"
        BASIC = "basic", "Basic (service account)"
        OAUTH2 = "oauth2", "OAuth 2 (app with client secret)"
        CERTIFICATE = "certificate", "OAuth 2 (app with certificate)"
        SERVICE_USER = "service_user", "OAuth 2 (service user)"

    class Access(models.TextChoices):
        """How the account opens a mailbox."""

        IMPERSONATION = "impersonation", "Impersonation"
        DELEGATE = "delegate", "Delegate"

    class Tls(models.TextChoices):
        """The lowest TLS version that is accepted."""

        SYSTEM = "", "System default"
        V1_0 = "1.0", "TLS 1.0"
        V1_1 = "1.1", "TLS 1.1"
        V1_2 = "1.2", "TLS 1.2"
        V1_3 = "1.3", "TLS 1.3"

    project = models.CharField(max_length=1024, validators=[PROJECT_NAME])
    name = models.CharField(max_length=256, validators=[NAME])
    title = models.CharField(max_length=256, blank=True)

    microsoft_api = models.CharField("API", max_length=16, choices=Api, default=Api.EWS)
    endpoint = models.URLField(
        max_length=512,
        help_text="For EWS, it usually ends in /EWS/Exchange.asmx. For Graph, it is usually https://graph.microsoft.com.",
    )
    auth = models.CharField("sign-in", max_length=16, choices=Auth, default=Auth.NTLM)
    access = models.CharField("access type", max_length=16, choices=Access, default=Access.IMPERSONATION)
    username = models.CharField(max_length=256, blank=True, help_text=r"DOMAIN\user or user@domain.")
    password = EncryptedField()
    tenant_id = models.CharField("tenant ID", max_length=128, blank=True)
    client_id = models.CharField("application (client) ID", max_length=128, blank=True)
    client_secret = EncryptedField()
    client_key = EncryptedField("private key")
    client_certificate = models.TextField(
        "certificate", blank=True, help_text="PEM, as it was uploaded to the Entra app."
    )
    client_thumbprint = models.CharField(
        "certificate thumbprint",
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})\Z", "40 or 64 hexadecimal digits.")],
        help_text="As Entra shows it. Not needed if the certificate is entered.",
    )
    authority = models.URLField(
        "sign-in service",
        max_length=512,
        default="https://login.microsoftonline.com",
        help_text="Change it only for a national cloud.",
    )

    build_version = models.CharField(
        max_length=32,
        blank=True,
        validators=[
            RegexValidator(r"^\d{1,3}(\.\d{1,5}){1,3}\Z", "Two to four numbers with dots, for example 15.1.2507.39.")
        ],
        help_text="For example 15.1.2507.39. Saves one request per worker process.",
    )
    tls_minimum = models.CharField("minimum TLS version", max_length=8, choices=Tls, blank=True, default=Tls.SYSTEM)
    tls_ciphers = models.CharField("TLS cipher list", max_length=1024, blank=True, help_text="In OpenSSL's notation.")
    ca_bundle = models.TextField(
        "CA bundle", blank=True, help_text="PEM certificates that are trusted in addition to those of the system."
    )
    proxy = models.CharField(max_length=512, blank=True, help_text="For example http://proxy.example:3128.")
    user_agent = models.CharField(max_length=128, blank=True)

    poll_interval = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(86_400)], help_text="Seconds."
    )
    most_at_once = models.PositiveSmallIntegerField(
        "mailboxes at once", default=4, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )

    enabled = models.BooleanField(default=False, editable=False)
    disabled_reason = models.CharField(
        max_length=16, choices=DisabledReason, blank=True, default=DisabledReason.USER, editable=False
    )
    disabled_kind = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The kind of the error that disabled it.",
    )
    disabled_detail = models.TextField(
        blank=True,
        editable=False,
        help_text="The error message of the server. If the kind is blank: why the integration is stopped, as text for users.",
    )
    disabled_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When an error or a quota last disabled it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["project", "name"]
        permissions = [
            ("operate", "Can start, stop, test, sync now and try again"),
            ("administer", "Can add, change and delete integrations, mailboxes and destinations"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="integration_project_name_unique"),
            models.CheckConstraint(
                condition=Q(enabled=True, disabled_reason="") | Q(enabled=False) & ~Q(disabled_reason=""),
                name="integration_disabled_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(microsoft_api="graph", auth__in=["ntlm", "basic"]),
                name="integration_graph_by_oauth_only",
            ),
        ]

    def __str__(self) -> str:
        """Return the title, or project and name where the integration has no title."""
        return closed(self.title) or f"{self.project}/{self.name}"

    @property
    def disabled_sentence(self) -> str:
        """Return why the integration is disabled, as text for users; blank where a user stopped it."""
        return sentence(self.disabled_kind, self.disabled_detail)
