"""The form of an integration: connection, credentials, network and polling, each field checked before it is tried."""

from __future__ import annotations

import ssl
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates
from django import forms
from django.conf import settings

from integrations.forms.changes import ChangedOnlyForm, SecretInput
from integrations.models import Integration

NEEDED = {
    Integration.Auth.NTLM: ("username", "password"),
    Integration.Auth.BASIC: ("username", "password"),
    Integration.Auth.OAUTH2: ("tenant_id", "client_id", "client_secret"),
}
"""What each kind of sign-in cannot do without. The page shows the fields by the same distinction."""

USUAL_AUTHORITY: str = Integration._meta.get_field("authority").get_default()
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


ONLINE = "https://outlook.office365.com/EWS/Exchange.asmx"
CLOUDS = ("outlook.office365.com", "outlook.office365.us", "webmail.apps.mil", "partner.outlook.cn")
"""Hosts of Exchange Online, the national clouds' among them."""
NOT_FOR_TESTING = ("title", "project", "name", "poll_interval", "most_at_once", "seen", "__all__")
"""Fields that may still be wrong while the connection is tested."""


class IntegrationForm(ChangedOnlyForm):
    """Create or edit an integration. Whether it runs is not in it: that is what Start and Stop are for."""

    secret_names: ClassVar[tuple[str, ...]] = ("password", "client_secret")

    kind = forms.ChoiceField(
        label="Which Exchange",
        choices=(("server", "Exchange Server, in your own network"), ("online", "Exchange Online (Microsoft 365)")),
        required=False,
        initial="server",
        widget=forms.RadioSelect,
    )
    endpoint = forms.URLField(
        label="EWS endpoint",
        max_length=512,
        assume_scheme="https",
        required=False,
        help_text="It usually ends in /EWS/Exchange.asmx. An Exchange admin finds it with "
        "Get-WebServicesVirtualDirectory | Format-List ExternalUrl.",
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
        label="Sign-in", choices=Integration.Auth.choices, initial=Integration.Auth.NTLM, widget=forms.RadioSelect
    )
    access = forms.ChoiceField(
        label="Access type",
        choices=Integration.Access.choices,
        initial=Integration.Access.IMPERSONATION,
        widget=forms.RadioSelect,
    )
    password = SecretInput(label="Password")
    client_secret = SecretInput(
        label="Client secret", help_text="Entra admin centre, your app, Certificates & secrets: its value, not its ID."
    )

    class Meta:
        model = Integration
        fields = (
            *("title", "project", "name", "endpoint", "access", "build_version"),
            *("auth", "username", "tenant_id", "client_id", "authority"),
            *("tls_minimum", "tls_ciphers", "ca_bundle", "proxy", "user_agent", "poll_interval", "most_at_once"),
        )
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "ca_bundle": forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "code"}),
            "username": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }
        help_texts: ClassVar[dict[str, str]] = {
            "title": "What people call it. Empty: project and name.",
            "project": "The Re:infer project that it belongs to.",
            "name": "Letters, digits, hyphens and underscores.",
            "username": r"DOMAIN\user or user@domain. The service account that may open the mailboxes.",
            "tenant_id": "Entra admin centre, App registrations, your app, Overview: Directory (tenant) ID.",
            "client_id": "On the same page: Application (client) ID.",
            "user_agent": "How we introduce ourselves to Exchange. Empty: the product's name.",
            "most_at_once": "Synced at the same time. Exchange throttles an account that asks too much.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.editing:
            self.initial["kind"] = "online" if _is_online(self.instance.endpoint) else "server"
        default, least = int(settings.POLL_INTERVAL.total_seconds()), int(settings.POLL_INTERVAL_LEAST.total_seconds())
        self.fields["poll_interval"].label = "Poll interval"
        self.fields["poll_interval"].help_text = f"Seconds, at least {least}. Empty: {default}."

    def clean_endpoint(self) -> str:
        endpoint: str = self.cleaned_data["endpoint"]
        if not endpoint and self.data.get("kind") == "online":
            return ONLINE
        if not endpoint:
            raise forms.ValidationError("Enter the address of its EWS endpoint.")
        return without_credentials(endpoint)

    def clean_auth(self) -> str:
        # Exchange Online knows no other sign-in any more.
        return str(Integration.Auth.OAUTH2 if self.data.get("kind") == "online" else self.cleaned_data["auth"])

    def to_be_tested(self) -> Integration | None:
        """What is in the form, saved or not; None when a field that a connection needs is wrong."""
        wrong = {name for name in self.errors if name not in NOT_FOR_TESTING}
        return None if wrong else self.unsaved()

    def clean_authority(self) -> str:
        # Hidden unless OAuth is chosen: somebody who emptied it means the usual one.
        return without_credentials(self.cleaned_data["authority"] or USUAL_AUTHORITY)

    def clean_poll_interval(self) -> int | None:
        seconds: int | None = self.cleaned_data["poll_interval"]
        least = int(settings.POLL_INTERVAL_LEAST.total_seconds())
        if seconds is not None and seconds < least:
            raise forms.ValidationError(f"At least {least} seconds, so that Exchange does not start to throttle.")
        return seconds

    def clean_tls_ciphers(self) -> str:
        ciphers: str = self.cleaned_data["tls_ciphers"]
        if ciphers:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(ciphers)
            except ssl.SSLError:
                raise forms.ValidationError("OpenSSL knows no cipher in this list.") from None
        return ciphers

    def clean_ca_bundle(self) -> str:
        bundle: str = self.cleaned_data["ca_bundle"].strip()
        if bundle:
            try:
                load_pem_x509_certificates(bundle.encode())
            except ValueError:
                raise forms.ValidationError(
                    "These are no PEM certificates. Each begins with -----BEGIN CERTIFICATE-----."
                ) from None
        return bundle

    def clean_proxy(self) -> str:
        proxy: str = self.cleaned_data["proxy"].strip()
        if not proxy:
            return ""
        parts = _split(proxy)
        if parts is None or parts.scheme not in PROXY_SCHEMES or not parts.hostname:
            raise forms.ValidationError("Enter it like http://proxy.example:3128.")
        return without_credentials(proxy)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in NEEDED.get(cleaned.get("auth", ""), ()):
            missing = not self.has_secret(name) if name in self.secret_names else not cleaned.get(name)
            if missing and name not in self.errors:
                self.add_error(name, "This sign-in needs it.")
        return cleaned


def without_credentials(address: str) -> str:
    """The address as it is. Raises ValidationError when a user name or password is in it: it is kept unsealed."""
    parts = _split(address)
    if parts is not None and (parts.username or parts.password):
        raise forms.ValidationError("Leave the user name and the password out of the address: it is not kept sealed.")
    return address


def _is_online(endpoint: str) -> bool:
    parts = _split(endpoint)
    return parts is not None and parts.hostname in CLOUDS


def _split(address: str) -> Any:
    try:
        parts = urlsplit(address)
        _ = parts.port  # out of range: only now is it found
    except ValueError:
        return None
    return parts
