"""The form of an integration: its names, connection, credentials, network and polling. Its checks send no request."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates
from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from integrations.certificates import CertificateWrong
from integrations.clouds import CLOUDS, GLOBAL
from integrations.forms import choices
from integrations.forms.certificate import LONGEST, CertificateArea, PemFile, public_part, read_entered
from integrations.forms.changes import ChangedOnlyForm, SecretArea, SecretInput
from integrations.models import Integration

Auth = Integration.Auth
NEEDED = {
    Auth.NTLM: ("username", "password"),
    Auth.BASIC: ("username", "password"),
    Auth.OAUTH2: ("tenant_id", "client_id", "client_secret"),
    Auth.CERTIFICATE: ("tenant_id", "client_id", "client_key"),
    Auth.SERVICE_USER: ("tenant_id", "client_id", "username", "password"),
}
"""The required fields of each kind of sign-in, except the certificate, which `_read_certificate` checks. The page shows only
the fields of the chosen kind."""

USUAL_AUTHORITY: str = Integration._meta.get_field("authority").get_default()
"""The sign-in service of the worldwide cloud."""
BEGINS, KEY_BEGINS = "-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----"
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
NOT_FOR_TESTING = ("title", "project", "name", "poll_interval", "most_at_once", "seen", "__all__")
"""Fields that a connection test does not use, so they may be invalid."""
NOT_OF_THE_ROW = ("kind", "cloud", "online_auth", "client_file")
"""Form fields without a database column: they determine the values of other fields."""
DERIVED = ("client_certificate", "client_thumbprint")
"""Fields that can change without input, because they are derived from other fields."""


class IntegrationForm(ChangedOnlyForm):
    """Create or edit an integration. Only the buttons Start and Stop start or stop the integration."""

    secret_names: ClassVar[tuple[str, ...]] = ("password", "client_secret", "client_key")
    not_logged: ClassVar[tuple[str, ...]] = ("seen", "client_certificate")  # the thumbprint is logged instead

    kind = forms.ChoiceField(
        label="Which Exchange",
        choices=choices.KINDS,
        required=False,
        initial=choices.GRAPH,
        widget=forms.RadioSelect,
        help_text="Microsoft ends EWS in Exchange Online: since October 2026, tenant by tenant, only apps on the allow list of "
        "the tenant may use it.",
    )
    cloud = forms.ChoiceField(
        label="Cloud",
        choices=choices.CLOUD_CHOICES,
        required=False,
        initial=GLOBAL.name,
        help_text="The cloud of the tenant. For GCC, choose Worldwide.",
    )
    microsoft_api = forms.ChoiceField(
        label="API", choices=Integration.Api.choices, required=False, widget=forms.HiddenInput
    )
    endpoint = forms.URLField(
        label="Endpoint",
        max_length=512,
        assume_scheme="https",
        required=False,
        help_text="For EWS, it usually ends in /EWS/Exchange.asmx; an Exchange admin finds it with "
        "Get-WebServicesVirtualDirectory | Format-List ExternalUrl. For Graph, it is https://graph.microsoft.com, except in "
        "national clouds.",
    )
    authority = forms.URLField(
        label="Sign-in service",
        max_length=512,
        assume_scheme="https",
        required=False,
        initial=USUAL_AUTHORITY,
        help_text="Change it only for a national cloud.",
    )
    auth = forms.ChoiceField(
        label="Sign-in",
        choices=Integration.Auth.choices,
        initial=Integration.Auth.NTLM,
        widget=forms.RadioSelect,
        help_text="An Exchange admin sees what the server accepts with Get-WebServicesVirtualDirectory | Format-List *Auth*.",
    )
    online_auth = forms.ChoiceField(
        label="Sign-in",
        choices=choices.ONLINE_AUTH,
        required=False,
        initial=Integration.Auth.CERTIFICATE,
        widget=forms.RadioSelect,
        help_text="A service user is for tenants that still allow a sign-in with only a password.",
    )
    access = forms.ChoiceField(
        label="Access type",
        choices=Integration.Access.choices,
        initial=Integration.Access.IMPERSONATION,
        widget=forms.RadioSelect,
        help_text="Impersonation needs the role ApplicationImpersonation; an Exchange admin checks it with "
        "Get-ManagementRoleAssignment -Role ApplicationImpersonation. Delegate needs full access to each mailbox: "
        "Get-MailboxPermission.",
    )
    password = SecretInput(label="Password")
    client_secret = SecretInput(
        label="Client secret",
        help_text="Entra admin centre, your app, Certificates & secrets: the value of the secret, not its ID. Entra shows the "
        "value only once.",
    )
    client_key = SecretInput(
        label="Private key",
        max_length=LONGEST,
        widget=SecretArea(
            attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code", "placeholder": KEY_BEGINS}
        ),
        help_text="PEM, without a passphrase. The certificate may follow it.",
    )
    client_certificate = forms.CharField(
        label="Certificate",
        max_length=LONGEST,
        required=False,
        widget=CertificateArea(attrs={"rows": 4, "spellcheck": "false", "class": "code", "placeholder": BEGINS}),
        help_text="As it was uploaded to the app: Entra admin centre, your app, Certificates & secrets, Certificates.",
    )
    client_file = PemFile(
        label="File",
        required=False,
        help_text="A .pem file with the key, the certificate, or both, instead of pasting them.",
    )

    class Meta:
        model = Integration
        fields = (
            *("title", "project", "name", "microsoft_api", "endpoint", "access", "build_version"),
            *("auth", "username", "tenant_id", "client_id", "authority", "client_certificate", "client_thumbprint"),
            *("tls_minimum", "tls_ciphers", "ca_bundle", "proxy", "user_agent", "poll_interval", "most_at_once"),
        )
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "ca_bundle": forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "code"}),
            "username": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }
        help_texts: ClassVar[dict[str, str]] = {
            "title": "The name on the pages. If empty, project and name are shown.",
            "project": "The Re:infer project of this integration.",
            "name": "Letters, digits, hyphens and underscores.",
            "username": r"DOMAIN\user or user@domain. The account that may open the mailboxes.",
            "client_thumbprint": "As Entra shows it. If you enter the certificate, the thumbprint is read from it.",
            "build_version": "An Exchange admin finds it with Get-ExchangeServer | Format-List AdminDisplayVersion, for "
            "example 15.1.2507.39. If it is set, each worker process sends one request less.",
            "tenant_id": "Entra admin centre, App registrations, your app, Overview: Directory (tenant) ID.",
            "client_id": "On the same page: Application (client) ID.",
            "user_agent": "The User-Agent header of requests to Exchange. If empty, the name of this product.",
            "most_at_once": "Maximum number of mailboxes that are synced at the same time. Exchange throttles an account that "
            "sends too many requests.",
        }

    def __init__(self, data: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any) -> None:
        """Create the form.

        Args:
            data: The submitted values; None for a form that was not submitted.
            *args: As in `ModelForm`.
            **kwargs: As in `ModelForm`.
        """
        instance: Integration | None = kwargs.get("instance")
        super().__init__(None if data is None else _with_values_of_choices(data, instance), *args, **kwargs)
        if self.editing:
            self.initial.update(choices.as_choices(self.instance))
        default, least = int(settings.POLL_INTERVAL.total_seconds()), int(settings.POLL_INTERVAL_LEAST.total_seconds())
        self.fields["poll_interval"].label = "Poll interval"
        self.fields["poll_interval"].help_text = f"Seconds, at least {least}. If empty: {default}."

    @property
    def changed_data(self) -> list[str]:
        """Return the changed fields, including derived ones: the thumbprint of a certificate, the key of a file."""
        before: Any = self.initial
        names = [name for name in super().changed_data if name not in NOT_OF_THE_ROW]
        cleaned = getattr(self, "cleaned_data", {})
        derived = [name for name in DERIVED if name in cleaned and cleaned[name] != (before.get(name) or "")]
        return [*names, *(name for name in [*derived, *self._sealed] if name not in names)]

    def clean_microsoft_api(self) -> str:
        """Return the API; EWS where none was submitted."""
        return str(self.cleaned_data["microsoft_api"] or Integration.Api.EWS)

    def clean_endpoint(self) -> str:
        """Return the endpoint; require one without credentials."""
        endpoint: str = self.cleaned_data["endpoint"]
        if not endpoint:
            raise forms.ValidationError("Enter the address of the endpoint.")
        return without_credentials(endpoint)

    def to_be_tested(self) -> Integration | None:
        """Return the values of the form as an unsaved row for a connection test.

        Returns:
            The row; None where a field that a connection needs is invalid.
        """
        invalid = {name for name in self.errors if name not in NOT_FOR_TESTING}
        return None if invalid else self.unsaved()

    def clean_authority(self) -> str:
        """Return the sign-in service without credentials; the default where the field is empty."""
        # The field is hidden unless OAuth is chosen, so an empty field means the default.
        return without_credentials(self.cleaned_data["authority"] or USUAL_AUTHORITY)

    def clean_poll_interval(self) -> int | None:
        """Return the poll interval in seconds; require at least the setting `POLL_INTERVAL_LEAST`."""
        seconds: int | None = self.cleaned_data["poll_interval"]
        least = int(settings.POLL_INTERVAL_LEAST.total_seconds())
        if seconds is not None and seconds < least:
            raise forms.ValidationError(f"At least {least} seconds, so that Exchange does not start to throttle.")
        return seconds

    def clean_tls_ciphers(self) -> str:
        """Return the TLS cipher list; require at least one cipher that OpenSSL supports."""
        ciphers: str = self.cleaned_data["tls_ciphers"]
        if ciphers:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(ciphers)
            except ssl.SSLError:
                raise forms.ValidationError("OpenSSL supports no cipher in this list.") from None
        return ciphers

    def clean_ca_bundle(self) -> str:
        """Return the CA bundle; require PEM certificates."""
        bundle: str = self.cleaned_data["ca_bundle"].strip()
        if bundle:
            try:
                load_pem_x509_certificates(bundle.encode())
            except ValueError:
                raise forms.ValidationError(
                    "These are not PEM certificates. Each begins with -----BEGIN CERTIFICATE-----."
                ) from None
        return bundle

    def clean_proxy(self) -> str:
        """Return the address of the proxy; require a supported scheme and no credentials."""
        proxy: str = self.cleaned_data["proxy"].strip()
        if not proxy:
            return ""
        parts = _split(proxy)
        if parts is None or parts.scheme not in PROXY_SCHEMES or not parts.hostname:
            raise forms.ValidationError("Enter the address of the proxy, for example http://proxy.example:3128.")
        return without_credentials(proxy)

    def clean(self) -> dict[str, Any]:
        """Check key and certificate, the required fields of the sign-in, and that API, endpoint and sign-in match.

        Returns:
            The cleaned values, by field name.
        """
        if self.cleaned_data.get("auth") == Auth.CERTIFICATE:
            self._read_certificate()
        else:
            self.cleaned_data["client_key"] = ""
            self.cleaned_data["client_certificate"] = public_part(self.cleaned_data.get("client_certificate") or "")
        self.cleaned_data["client_file"] = ""  # the key of the file is now only in `client_key`
        cleaned = super().clean()
        for name in NEEDED.get(cleaned.get("auth", ""), ()):
            missing = not self.has_secret(name) if name in self.secret_names else not cleaned.get(name)
            if missing and name not in self.errors:
                self.add_error(name, "This kind of sign-in needs this field.")
        self._check_api(cleaned)
        return cleaned

    def _read_certificate(self) -> None:
        before = {} if self.instance.pk is None else self.initial
        try:
            entered = read_entered(self.cleaned_data, before, self.instance.client_key, timezone.now())
        except CertificateWrong as error:
            self.add_error(error.field, str(error))
            return
        self.cleaned_data |= {
            "client_key": entered.key,
            "client_certificate": entered.certificate,
            "client_thumbprint": entered.thumbprint,
        }

    def _check_api(self, cleaned: Mapping[str, Any]) -> None:
        api, endpoint = cleaned.get("microsoft_api"), str(cleaned.get("endpoint", ""))
        is_ews = endpoint.casefold().endswith(".asmx")
        if api == Integration.Api.GRAPH and cleaned.get("auth") in (Auth.NTLM, Auth.BASIC):
            self.add_error("auth", "Microsoft Graph accepts only OAuth 2: choose an app or a service user.")
        if api == Integration.Api.GRAPH and is_ews:
            self.add_error(
                "endpoint",
                "This is an endpoint of EWS. The endpoint of Graph is https://graph.microsoft.com, except in national clouds.",
            )
        if api == Integration.Api.EWS and endpoint.rstrip("/") in {cloud.graph for cloud in CLOUDS}:
            self.add_error(
                "endpoint", "This is the endpoint of Graph. An endpoint of EWS usually ends in /EWS/Exchange.asmx."
            )


def _with_values_of_choices(data: Mapping[str, Any], instance: Integration | None) -> Mapping[str, Any]:
    """Return the submitted values, with the values of the row that follow from the choices on the page."""
    submitted: Any = data.copy() if isinstance(data, QueryDict) else dict(data)
    submitted.setdefault("microsoft_api", instance.microsoft_api if instance else str(Integration.Api.EWS))
    for name, value in choices.as_values(submitted).items():
        submitted[name] = value
    return submitted  # type: ignore[no-any-return]


def without_credentials(address: str) -> str:
    """Check that an address contains no credentials, because addresses are stored unencrypted.

    Args:
        address: A URL.

    Returns:
        The same address.

    Raises:
        ValidationError: The address contains a user name or a password.
    """
    parts = _split(address)
    if parts is not None and (parts.username or parts.password):
        raise forms.ValidationError(
            "Leave the user name and the password out of the address: it is stored unencrypted."
        )
    return address


def _split(address: str) -> Any:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises ValueError for a port that is out of range
    except ValueError:
        return None
    return parts
