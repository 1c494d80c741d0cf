"""Base serializers of requests. `Typed` checks the JSON type of each value. `Strict` also rejects unknown keys."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as FormError
from django.core.validators import URLValidator
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from api.problems import Unprocessable
from integrations.forms.integration import without_credentials

WEB_ADDRESS = r"^https?://[!-~]+$"
"""A URL in ASCII without white space. Non-ASCII characters are excluded because the pattern is also in the OpenAPI schema, and
the dialects of regular expressions disagree about which of these characters are white space."""


def checked_address(name: str, value: str) -> str:
    """Check that a URL is valid and contains no credentials.

    Args:
        name: The name of the field, for the error.
        value: The URL.

    Returns:
        The same URL.

    Raises:
        Unprocessable: The URL is not valid, or contains credentials.
    """
    try:
        URLValidator(schemes=["http", "https"])(value)
        return without_credentials(value)
    except FormError as error:
        raise Unprocessable({name: error.messages}) from None


class Typed(serializers.Serializer):  # type: ignore[type-arg]
    """Reject values whose JSON type is not the declared one, such as a number instead of a text."""

    def to_internal_value(self, data: Any) -> Any:
        """Check the types, then validate.

        Args:
            data: The parsed JSON.

        Returns:
            The validated values.

        Raises:
            ValidationError: A value is not valid.
        """
        if isinstance(data, dict):
            checked = {name: self._problem(field, data[name]) for name, field in self.fields.items() if name in data}
            if problems := {name: [problem] for name, problem in checked.items() if problem}:
                raise ValidationError(problems)
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
                # JSON does not distinguish 61.0 from 61.
                whole = allowed == (int,) and isinstance(value, float) and value.is_integer()
                return "" if whole or type(value) in allowed else f"It must be {words}."
        return ""


TYPES: tuple[tuple[Any, tuple[type, ...], str], ...] = (
    ((serializers.CharField, serializers.DateTimeField, serializers.ChoiceField), (str,), "a text"),
    ((serializers.BooleanField,), (bool,), "true or false"),
    ((serializers.IntegerField,), (int,), "a whole number"),
)


class Strict(Typed):
    """Reject keys that the serializer does not have, because a misspelled key must not be ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Check the keys, then validate.

        Args:
            data: The parsed JSON.

        Returns:
            The validated values.

        Raises:
            ValidationError: A key is unknown, or a value is not valid.
        """
        if isinstance(data, dict):
            unknown = [str(key)[:60] for key in data if key not in self.fields]
            if unknown:
                raise ValidationError({key: ["Unknown key."] for key in unknown[:20]})
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time. An empty string means null, as in the documents of Re:infer."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Validate a time.

        Args:
            data: The value.

        Returns:
            The time; None for null and for an empty string.
        """
        return super().run_validation(None if data == "" else data)
