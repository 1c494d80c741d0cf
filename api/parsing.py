"""Parsers of request bodies: JSON or an email, with a limit that is checked before parsing."""

from __future__ import annotations

import io
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from api.problems import PayloadTooLarge, Unprocessable
from conversion.preview import MOST_BYTES


class Bounded(BaseParser):
    """A parser with a limit for the body."""

    @staticmethod
    def most_bytes() -> int:
        """Return how many bytes the body may have."""
        raise NotImplementedError


class BoundedJson(Bounded, JSONParser):
    """JSON up to the setting API_MOST_BYTES. A larger body is rejected without parsing."""

    @staticmethod
    def most_bytes() -> int:
        """Return how many bytes the body may have."""
        return int(settings.API_MOST_BYTES)

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Parse JSON.

        Args:
            stream: The body.
            media_type: The content type.
            parser_context: The context of the parser.

        Returns:
            The parsed value.

        Raises:
            PayloadTooLarge: The body is larger than the limit.
            ParseError: The body is no JSON, or nested too deep.
            Unprocessable: A text contains a character that the database cannot store.
        """
        text = _bounded(stream, self.most_bytes())
        try:
            parsed = super().parse(io.BytesIO(text), media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error: it is nested too deep.") from None
        if _has_unstorable_text(parsed):
            raise Unprocessable("A text contains a NUL or half a surrogate pair.")
        return parsed


class EmailParser(Bounded):
    """The bytes of an email."""

    media_type = "message/rfc822"

    @staticmethod
    def most_bytes() -> int:
        """Return how many bytes the body may have."""
        return MOST_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read the email.

        Args:
            stream: The body.
            media_type: The content type.
            parser_context: The context of the parser.

        Returns:
            Its bytes.

        Raises:
            PayloadTooLarge: The body is larger than the limit.
        """
        return _bounded(stream, self.most_bytes())


def _bounded(stream: IO[bytes], most: int) -> bytes:
    content: bytes = stream.read(most + 1)
    if len(content) > most:
        raise PayloadTooLarge(f"The body is larger than {most:,} bytes.")
    return content


def _has_unstorable_text(parsed: Any) -> bool:
    """Return whether a text contains a NUL or half a surrogate pair. Not recursive: the value can be nested deep."""
    waiting = [parsed]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
            return True
    return False
