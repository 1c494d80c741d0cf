"""A form that writes only what its user changed, and only if nobody else changed the row meanwhile.

A worker writes to the same rows: it must never find its own writes undone by a page that was opened before them. And
of two admins who edit one thing, the second is told, instead of undoing the first one's work unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from integrations.binding import must_be_entered_again
from integrations.bound import BindsSecrets
from integrations.encryption import Secret
from integrations.wording import in_words

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:  # Django's forms know their type arguments only in stubs.
    _ModelForm = forms.ModelForm

CONFLICT = (
    "Somebody changed or deleted this since you opened the form. Nothing was saved. "
    "Open the form again to see how it is now; what you entered is still below."
)
KEEP = "Leave empty to keep the one that is stored. It is needed again when it would be sent elsewhere, or be less protected."


class SecretInput(forms.CharField):
    """A password field that is never filled in: what is stored stays unless something is typed."""

    def __init__(self, **kwargs: Any) -> None:
        # "new-password": a browser must not fill in the admin's own password.
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
        super().__init__(**{"required": False, "strip": False, "max_length": 4096, "widget": widget, **kwargs})


class SecretArea(forms.Textarea):
    """For a secret of several lines. Like a password, it is never filled in."""

    def format_value(self, value: Any) -> str:
        return ""


class ChangedOnlyForm(_ModelForm):
    """Base of the forms for rows that workers write to. A view calls `stored`."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    use_required_attribute = False
    """A required field that is hidden would keep a browser from sending the form without saying why."""
    secret_names: ClassVar[tuple[str, ...]] = ()
    """Fields of the model that are sealed; the form has a `SecretInput` of the same name for each."""
    not_told: ClassVar[tuple[str, ...]] = ("seen",)
    """Fields whose change is no news in the history."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sealed: dict[str, Secret] = {}
        self.editing = self.instance.pk is not None
        if self.editing:
            self.initial["seen"] = _version(self.instance)
        for name in self.secret_names:
            if self.has_secret(name):
                self.fields[name].help_text = KEEP

    def has_secret(self, name: str) -> bool:
        """Whether one is stored, or was just typed in."""
        return bool(getattr(self.instance, name)) or name in self._sealed

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.secret_names:
            if cleaned.get(name):
                self._seal(name, cleaned[name])
        self._check_bound(cleaned)
        return cleaned

    def _check_bound(self, cleaned: Mapping[str, Any]) -> None:
        """A stored secret is not sent elsewhere than to where it was entered for."""
        row = self.instance
        if not isinstance(row, BindsSecrets):
            return
        values = {name: cleaned[name] for name in row.place_fields if name in cleaned}
        for name in self.secret_names:
            if name in self._sealed or name in self.errors:
                continue
            if parts := row.not_for(name, values):
                self.add_error(name, must_be_entered_again(str(self.fields[name].label), parts))

    def _seal(self, name: str, plain: str) -> None:
        try:
            self._sealed[name] = Secret.sealed(plain)
        except ImproperlyConfigured as error:
            self.add_error(name, f"It cannot be sealed: {error}")

    def changes_in_words(self) -> list[tuple[str, str, str]]:
        """After a valid form: label, before and after of each field that was changed. Of a secret only that it was."""
        if not self.editing:
            return []
        found = []
        for name in self.changed_data:
            label = str(self.fields[name].label or name)
            if name in self.secret_names:
                found.append((label, "a secret", "another secret"))
            elif name not in self.not_told:
                found.append((label, in_words(self.initial.get(name)), in_words(self.cleaned_data.get(name))))
        return found

    def stored(self) -> bool:
        """Check and write. False when it was not written: then the form has errors to show."""
        if not self.is_valid():
            return False
        try:
            with transaction.atomic():
                written = self._update() if self.editing else self._create()
        except IntegrityError:
            # Somebody was faster by a blink: the form's own check for uniqueness had nothing to find yet.
            self.add_error(None, "This exists already.")
            return False
        if not written:
            self.add_error(None, CONFLICT)
        return written

    def unsaved(self) -> Any:
        """After `is_valid`: what is in the form as a row that is not written, with the secrets that are stored or typed."""
        row = self._meta.model()
        for field in self._meta.model._meta.concrete_fields:
            setattr(row, field.attname, getattr(self.instance, field.attname))
        for name, secret in self._sealed.items():
            setattr(row, name, secret)
        return row

    def _create(self) -> bool:
        self._take_secrets()
        self.save()
        return True

    def _update(self) -> bool:
        model: type[models.Model] = self._meta.model
        changes = self._changes()
        if not changes:
            return True
        if isinstance(self.instance, BindsSecrets):
            self._take_secrets()
            self.instance.bind()
            changes["bindings"] = self.instance.bindings
        seen = _moment(self.cleaned_data["seen"])
        rows = model._default_manager.filter(pk=self.instance.pk, updated_at=seen)
        return bool(rows.update(**changes, updated_at=timezone.now()))

    def _take_secrets(self) -> None:
        for name, secret in self._sealed.items():
            setattr(self.instance, name, secret)

    def _changes(self) -> dict[str, Any]:
        """By the name of the model's field: what is to be written."""
        known = {field.name for field in self._meta.model._meta.fields if field.editable}
        return {name: getattr(self.instance, name) for name in self.changed_data if name in known} | self._sealed


def _version(instance: Any) -> str:
    return str(instance.updated_at.isoformat())


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
