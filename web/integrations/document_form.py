"""The form of an import: a document, pasted or as a file; and its second step, which confirms what it would change.

A document may hold secrets, and no page may: between the two steps its text travels sealed.
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
    """First step: what would this document change?"""

    document = forms.CharField(
        label="Document",
        required=False,
        strip=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "code"}),
        help_text="JSON: an integration of Re:infer as its API and its command-line client show it, or the configuration of "
        "the Exchange Sync App.",
    )
    file = forms.FileField(label="Or a file", required=False)
    project = forms.CharField(
        label="Project", required=False, max_length=1024, validators=[PROJECT_NAME], help_text="Where it says none."
    )
    name = forms.CharField(
        label="Name", required=False, max_length=256, validators=[NAME], help_text="Where it says none."
    )
    plan: Plan | None = None
    sealed = ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        text = self._text(cleaned)
        if not text.strip():
            self.add_error("document", "Paste a document, or choose a file.")
        elif not self.errors:
            self._plan(text, cleaned)
        return cleaned

    def _plan(self, text: str, cleaned: dict[str, Any]) -> None:
        try:
            wish = read_document(parse_json(text), cleaned.get("project", ""), cleaned.get("name", ""))
            self.plan = planned(wish)
            self.sealed = Secret.sealed(text).token
        except DocumentWrong as wrong:
            self.add_error("document", list(wrong.problems))
        except ImproperlyConfigured as error:
            self.add_error(None, f"Secrets cannot be sealed: {error}")

    def _text(self, cleaned: dict[str, Any]) -> str:
        file = cleaned.get("file")
        if file is None:
            return str(cleaned.get("document") or "")
        try:
            return str(file.read(4 * LONGEST).decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", "This file is no text in UTF-8.")
            return "{}"


class ConfirmImportForm(forms.Form):
    """Second step: the sealed document, and what its plan was when it was shown."""

    sealed = forms.CharField(widget=forms.HiddenInput, max_length=6 * LONGEST)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    project = forms.CharField(widget=forms.HiddenInput, required=False, max_length=1024)
    name = forms.CharField(widget=forms.HiddenInput, required=False, max_length=256)
    plan: Plan | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            text = Secret(cleaned.get("sealed", "")).reveal()
            self.plan = planned(read_document(parse_json(text), cleaned.get("project", ""), cleaned.get("name", "")))
        except (SecretUnreadable, ImproperlyConfigured, DocumentWrong):
            raise forms.ValidationError("This cannot be confirmed any more. Paste the document again.") from None
        if self.plan.digest != cleaned.get("digest"):
            raise forms.ValidationError("Something changed since you looked. See what would change now, then confirm.")
        return cleaned
