"""The form of a destination: its name, the API endpoint, and the API token."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from integrations.forms.changes import ChangedOnlyForm, SecretInput
from integrations.forms.integration import without_credentials
from integrations.models import Destination


class DestinationForm(ChangedOnlyForm):
    """Create or edit a destination."""

    secret_names: ClassVar[tuple[str, ...]] = ("token",)

    endpoint = forms.URLField(
        label="API endpoint",
        max_length=512,
        assume_scheme="https",
        help_text="For example https://cloud.uipath.com/organisation/tenant/reinfer_. A path in the address is kept.",
    )
    token = SecretInput(
        label="API token", help_text="From the Manage Account page of the Re:infer user for this product."
    )

    class Meta:
        model = Destination
        fields = ("name", "endpoint")
        help_texts: ClassVar[dict[str, str]] = {"name": "What you call this tenant, for example Production."}

    def to_be_tested(self) -> Destination | None:
        """Return the values of the form as an unsaved row for a connection test.

        Returns:
            The row; None where the endpoint or the token is invalid.
        """
        return None if {"endpoint", "token"} & set(self.errors) else self.unsaved()

    def clean_endpoint(self) -> str:
        """Return the endpoint; require one without credentials."""
        return without_credentials(self.cleaned_data["endpoint"])

    def clean(self) -> dict[str, Any]:
        """Require a token.

        Returns:
            The cleaned values, by field name.
        """
        cleaned = super().clean()
        if not self.has_secret("token") and "token" not in self.errors:
            self.add_error("token", "Re:infer requires a token.")
        return cleaned
