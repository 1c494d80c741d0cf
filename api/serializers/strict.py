"""What every shape that comes in keeps to: types as the schema has them, and no key that is not known."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as FormError
from django.core.validators import URLValidator
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from api.problems import Unprocessable
from integrations.forms.integration import without_credentials

WEB_ADDRESS = r"^https?://[!-~]+$"
"""Only signs of ASCII: what counts as white space beyond them differs between dialects of regular expressions."""


def checked_address(name: str, value: str) -> str:
    """A web address without credentials. Raises `Unprocessable` with the name of the field."""
    try:
        URLValidator(schemes=["http", "https"])(value)
        return without_credentials(value)
    except FormError as error:
        raise Unprocessable({name: error.messages}) from None


class Typed(serializers.Serializer):  # type: ignore[type-arg]
    """Takes no number for a text and no text for a number: what the schema does not allow is refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            wrong = {name: self._problem(field, data[name]) for name, field in self.fields.items() if name in data}
            if told := {name: [problem] for name, problem in wrong.items() if problem}:
                raise ValidationError(told)
        return super().to_internal_value(data)

    def _problem(self, field: Any, value: Any) -> str:
        if field.read_only or value is None:
            return ""
        if isinstance(field, serializers.ListField):
            if not isinstance(value, list):
                return "It must be a list."
            return next((problem for entry in value if (problem := self._problem(field.child, entry))), "")
        for kind, allowed, words in TYPES:
            if isinstance(field, kind):
                # 61.0 is a whole number to JSON.
                whole = allowed == (int,) and isinstance(value, float) and value.is_integer()
                return "" if whole or type(value) in allowed else f"It must be {words}."
        return ""


TYPES: tuple[tuple[Any, tuple[type, ...], str], ...] = (
    ((serializers.CharField, serializers.DateTimeField, serializers.ChoiceField), (str,), "a text"),
    ((serializers.BooleanField,), (bool,), "true or false"),
    ((serializers.IntegerField,), (int,), "a whole number"),
)


class Strict(Typed):
    """Refuses also keys that it does not know: a typing error must not be taken for a wish."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [str(key)[:60] for key in data if key not in self.fields]
            if unknown:
                raise ValidationError({key: ["This key is not known."] for key in unknown[:20]})
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time; an empty text means none, as in the documents of the vendor."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(None if data == "" else data)
