"""The form of a switch from EWS to Graph or back: where the other API is, for clouds that are not known here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from integrations.bound import label_of, secret_fields
from integrations.certificates import CertificateWrong
from integrations.forms.certificate import LONGEST, read_entered
from integrations.forms.changes import SecretArea, SecretInput
from integrations.forms.integration import without_credentials
from integrations.models import Integration


class SwitchForm(forms.Form):
    """Of one integration. It has a field for each secret that the integration uses."""

    endpoint = forms.URLField(
        label="Endpoint",
        max_length=512,
        assume_scheme="https",
        required=False,
        help_text="Of the other API. Empty: that of the same cloud.",
    )
    authority = forms.URLField(
        label="Sign-in service",
        max_length=512,
        assume_scheme="https",
        required=False,
        help_text="Empty: the present one.",
    )
    anyway = forms.BooleanField(
        label="Switch although some mailboxes cannot be opened, or some folders are not listed.",
        help_text="Those mailboxes wait until they can be opened. Mail in those folders is not read any more.",
        required=False,
    )

    def __init__(self, data: Any = None, *, integration: Integration) -> None:
        super().__init__(data)
        self._integration = integration
        sent = integration.places()
        self._secrets = [name for name in secret_fields(Integration) if name in sent and getattr(integration, name)]
        for name in self._secrets:
            self.fields[name] = _secret(name)

    @property
    def secret_inputs(self) -> list[forms.BoundField]:
        """For the page."""
        return [self[name] for name in self._secrets]

    def entered(self) -> dict[str, str]:
        """After a valid form: the secrets that were entered, by the name of the model's field."""
        return {name: self.cleaned_data[name] for name in self._secrets if self.cleaned_data[name]}

    def clean_endpoint(self) -> str:
        return without_credentials(self.cleaned_data["endpoint"])

    def clean_authority(self) -> str:
        return without_credentials(self.cleaned_data["authority"])

    def clean_client_key(self) -> str:
        """The key alone, if it is that of the certificate."""
        row, typed = self._integration, self.cleaned_data["client_key"]
        if not typed:
            return ""
        given = {"client_key": typed, "client_certificate": row.client_certificate}
        given["client_thumbprint"] = row.client_thumbprint
        try:
            return read_entered(given, {}, row.client_key, timezone.now()).key
        except CertificateWrong as error:
            raise forms.ValidationError(str(error)) from None


def _secret(name: str) -> forms.CharField:
    told: dict[str, Any] = {
        "label": label_of(Integration, name),
        "help_text": "Only where it would be sent elsewhere than now. It is needed once to look, and once to switch.",
    }
    if name != "client_key":
        return SecretInput(**told)
    area = SecretArea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code"})
    return SecretInput(max_length=LONGEST, widget=area, **told)
