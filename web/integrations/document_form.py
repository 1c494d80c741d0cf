"""The two forms of an import: one for the document, and one that confirms the changes that the document makes.

A document can contain secrets, and a page must not show any secret. So the page between the two steps contains the
document only as encrypted text.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ImproperlyConfigured

from integrations.encryption import Secret
from integrations.errors import SecretUnreadable
from integrations.models import NAME, PROJECT_NAME
from operations.documents.desired import DocumentWrong
from operations.documents.plan import Plan, planned
from operations.documents.reading import LONGEST, parse_json, read_document


class ImportForm(forms.Form):
    """First step: read a document, pasted or as a file, and plan its changes.

    Attributes:
        plan: the changes that the document makes; None unless the document is valid
        sealed: the encrypted text of the document
    """

    document = forms.CharField(
        label="Document",
        required=False,
        strip=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "code"}),
        help_text="JSON: an integration in the format of Re:infer's API and command-line client, or the configuration "
        "of the Exchange Sync App.",
    )
    file = forms.FileField(label="Or a file", required=False)
    project = forms.CharField(
        label="Project",
        required=False,
        max_length=1024,
        validators=[PROJECT_NAME],
        help_text="Only needed if the document does not contain it.",
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=256,
        validators=[NAME],
        help_text="Only needed if the document does not contain it.",
    )
    plan: Plan | None = None
    sealed = ""

    def clean(self) -> dict[str, Any]:
        """Read the document and plan its changes.

        Returns:
            The cleaned values.
        """
        cleaned = super().clean() or self.cleaned_data
        text = self._text(cleaned)
        if not text.strip():
            self.add_error("document", "Paste a document, or choose a file.")
        elif not self.errors:
            self._plan(text, cleaned)
        return cleaned

    def _plan(self, text: str, cleaned: dict[str, Any]) -> None:
        try:
            desired = read_document(parse_json(text), cleaned.get("project", ""), cleaned.get("name", ""))
            self.plan = planned(desired)
            self.sealed = Secret.sealed(text).token
        except DocumentWrong as wrong:
            self.add_error("document", list(wrong.problems))
        except ImproperlyConfigured as error:
            self.add_error(None, f"Secrets cannot be encrypted: {error}")

    def _text(self, cleaned: dict[str, Any]) -> str:
        file = cleaned.get("file")
        if file is None:
            return str(cleaned.get("document") or "")
        try:
            return str(file.read(4 * LONGEST).decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", "This file is not a text in UTF-8.")
            return "{}"


class ConfirmImportForm(forms.Form):
    """Second step: the encrypted document, and the digest of the plan that was shown.

    Attributes:
        plan: the changes that the document makes in the present state; None if the document cannot be read
    """

    sealed = forms.CharField(widget=forms.HiddenInput, max_length=6 * LONGEST)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    project = forms.CharField(widget=forms.HiddenInput, required=False, max_length=1024)
    name = forms.CharField(widget=forms.HiddenInput, required=False, max_length=256)
    plan: Plan | None = None

    def clean(self) -> dict[str, Any]:
        """Decrypt the document, plan it again, and compare the digests of the new plan and of the shown plan.

        Returns:
            The cleaned values.

        Raises:
            ValidationError: the document cannot be read any more, or the plan is not the one that was shown
        """
        cleaned = super().clean() or self.cleaned_data
        try:
            text = Secret(cleaned.get("sealed", "")).reveal()
            self.plan = planned(read_document(parse_json(text), cleaned.get("project", ""), cleaned.get("name", "")))
        except (SecretUnreadable, ImproperlyConfigured, DocumentWrong):
            raise forms.ValidationError("This import cannot be confirmed any more. Paste the document again.") from None
        if self.plan.digest != cleaned.get("digest"):
            raise forms.ValidationError(
                "Something changed since this page was opened. Check the changes below, then confirm."
            )
        return cleaned
