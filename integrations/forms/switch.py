"""The form of a switch from EWS to Graph or back. Its address fields are for clouds that `integrations.clouds` lacks."""

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
    """The switch of one integration. The form has a field for each stored secret that the sign-in uses."""

    endpoint = forms.URLField(
        label="Endpoint",
        max_length=512,
        assume_scheme="https",
        required=False,
        help_text="The endpoint of the other API. If empty, the endpoint of the same cloud.",
    )
    authority = forms.URLField(
        label="Sign-in service",
        max_length=512,
        assume_scheme="https",
        required=False,
        help_text="If empty, the current sign-in service.",
    )
    anyway = forms.BooleanField(
        label="Switch although some mailboxes cannot be opened, or some folders are not listed.",
        help_text="Those mailboxes do not sync until they can be opened. Mail in those folders is not read any more.",
        required=False,
    )

    def __init__(self, data: Any = None, *, integration: Integration) -> None:
        """Create the form.

        Args:
            data: The submitted values; None for a form that was not submitted.
            integration: The integration to switch.
        """
        super().__init__(data)
        self._integration = integration
        places = integration.places()
        self._secrets = [name for name in secret_fields(Integration) if name in places and getattr(integration, name)]
        for name in self._secrets:
            self.fields[name] = _secret(name)

    @property
    def secret_inputs(self) -> list[forms.BoundField]:
        """Return the fields of the secrets, for the template."""
        return [self[name] for name in self._secrets]

    def entered_secrets(self) -> dict[str, str]:
        """Return the entered secrets of a valid form, by the name of the model field."""
        return {name: self.cleaned_data[name] for name in self._secrets if self.cleaned_data[name]}

    def clean_endpoint(self) -> str:
        """Return the endpoint; require one without credentials."""
        return without_credentials(self.cleaned_data["endpoint"])

    def clean_authority(self) -> str:
        """Return the sign-in service; require one without credentials."""
        return without_credentials(self.cleaned_data["authority"])

    def clean_client_key(self) -> str:
        """Return the private key; if a certificate is stored, require the key of this certificate."""
        row, key = self._integration, self.cleaned_data["client_key"]
        if not key:
            return ""
        values = {"client_key": key, "client_certificate": row.client_certificate}
        values["client_thumbprint"] = row.client_thumbprint
        try:
            return read_entered(values, {}, row.client_key, timezone.now()).key
        except CertificateWrong as error:
            raise forms.ValidationError(str(error)) from None


def _secret(name: str) -> forms.CharField:
    arguments: dict[str, Any] = {
        "label": label_of(Integration, name),
        "help_text": "Only needed if the secret would be sent to another server than now. Enter it for the check, and again "
        "for the switch.",
    }
    if name != "client_key":
        return SecretInput(**arguments)
    area = SecretArea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code"})
    return SecretInput(max_length=LONGEST, widget=area, **arguments)
