"""The form of a switch from EWS to Graph or back: where the other API is, for clouds that are not known here."""

from __future__ import annotations

from django import forms

from integrations.forms.integration import without_credentials


class SwitchForm(forms.Form):
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
        label="Switch although some mailboxes cannot be opened: they wait until they can.", required=False
    )

    def clean_endpoint(self) -> str:
        return without_credentials(self.cleaned_data["endpoint"])

    def clean_authority(self) -> str:
        return without_credentials(self.cleaned_data["authority"])
