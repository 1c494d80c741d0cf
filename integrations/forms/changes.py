"""A form for a stored row: it writes only changed fields, and only if the row is unchanged since the form was opened.

Workers write to the same rows: a page that was opened before a write of a worker must not undo that write. Of two
admins who edit the same row, the second gets an error instead of overwriting the changes of the first.
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
from integrations.wording import display_text

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:  # Only the stubs of Django's forms accept type arguments.
    _ModelForm = forms.ModelForm

CONFLICT = (
    "Another user changed or deleted this since you opened the form. Nothing was saved. "
    "Open the form again to see the current values; what you entered is still below."
)
KEEP = (
    "Leave empty to keep the stored value. Enter it again if you change the server, or reduce the protection of the "
    "connection."
)


class SecretInput(forms.CharField):
    """A password field that never shows the stored secret. The stored secret is kept unless a new one is entered."""

    def __init__(self, **kwargs: Any) -> None:
        """Create the field.

        Args:
            **kwargs: As in `CharField`; they override the defaults of this field.
        """
        # "new-password" keeps a browser from filling in the password of the admin.
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
        super().__init__(**{"required": False, "strip": False, "max_length": 4096, "widget": widget, **kwargs})


class SecretArea(forms.Textarea):
    """A text area for a secret of several lines. It never shows the stored secret."""

    def format_value(self, value: Any) -> str:
        """Return no text."""
        return ""


class ChangedOnlyForm(_ModelForm):
    """Base class of the forms for rows that workers also write to. A view calls `stored` to validate and save.

    Attributes:
        editing: Whether the form changes a stored row.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    """`updated_at` of the row when the form was opened."""
    use_required_attribute = False
    """Off, because a browser does not submit a form with an empty required field, and shows no message if that field is
    hidden."""
    secret_names: ClassVar[tuple[str, ...]] = ()
    """The encrypted fields of the model; the form has a `SecretInput` of the same name for each."""
    not_logged: ClassVar[tuple[str, ...]] = ("seen",)
    """Fields whose changes are not listed in the audit log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create the form.

        Args:
            *args: As in `ModelForm`.
            **kwargs: As in `ModelForm`.
        """
        super().__init__(*args, **kwargs)
        self._sealed: dict[str, Secret] = {}
        self.editing = self.instance.pk is not None
        if self.editing:
            self.initial["seen"] = _version(self.instance)
        for name in self.secret_names:
            if self.has_secret(name):
                self.fields[name].help_text = KEEP

    def has_secret(self, name: str) -> bool:
        """Return whether a secret is stored or was just entered.

        Args:
            name: The field name of the secret.

        Returns:
            True where there is a secret.
        """
        return bool(getattr(self.instance, name)) or name in self._sealed

    def clean(self) -> dict[str, Any]:
        """Encrypt the entered secrets. Require a stored secret again if it would be sent to another place.

        Returns:
            The cleaned values, by field name.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.secret_names:
            if cleaned.get(name):
                self._seal(name, cleaned[name])
        self._check_bound(cleaned)
        return cleaned

    def _check_bound(self, cleaned: Mapping[str, Any]) -> None:
        """Add an error for each stored secret that would be sent to another place than the one it was entered for."""
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
            self.add_error(name, f"The secret cannot be encrypted: {error}")

    def change_lines(self) -> list[tuple[str, str, str]]:
        """Return the changes of a valid form for the audit log.

        Returns:
            Label, old text and new text of each changed field, except those in `not_logged`; no secret is part of the texts.
            Empty for a new row.
        """
        if not self.editing:
            return []
        changes = []
        for name in self.changed_data:
            label = str(self.fields[name].label or name)
            if name in self.secret_names:
                changes.append((label, "a secret", "another secret"))
            elif name not in self.not_logged:
                changes.append((label, display_text(self.initial.get(name)), display_text(self.cleaned_data.get(name))))
        return changes

    def stored(self) -> bool:
        """Validate the form and write the row.

        Returns:
            Whether the row was written; if not, the form has errors to show.
        """
        if not self.is_valid():
            return False
        try:
            with transaction.atomic():
                written = self._update() if self.editing else self._create()
        except IntegrityError:
            # After the uniqueness check of this form, another request saved a row with the same unique value.
            self.add_error(None, "This exists already.")
            return False
        if not written:
            self.add_error(None, CONFLICT)
        return written

    def unsaved(self) -> Any:
        """Return the values of a valid form as an unsaved row, including the stored and the entered secrets."""
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
        """Return the values to write, by the name of the model field."""
        editable = {field.name for field in self._meta.model._meta.fields if field.editable}
        return {name: getattr(self.instance, name) for name in self.changed_data if name in editable} | self._sealed


def _version(instance: Any) -> str:
    return str(instance.updated_at.isoformat())


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
