"""Parsers of request bodies: one for JSON, and one for email files. Each rejects a body that exceeds its size limit."""

from __future__ import annotations

import io
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from api.problems import PayloadTooLarge, Unprocessable
from conversion.preview import MAX_BYTES


class Bounded(BaseParser):
    """Base class of the parsers. Each parser has a size limit."""

    @staticmethod
    def most_bytes() -> int:
        """Return the maximum size of the body, in bytes."""
        raise NotImplementedError


class BoundedJson(Bounded, JSONParser):
    """JSON up to the setting API_MOST_BYTES. A larger body is rejected without parsing."""

    @staticmethod
    def most_bytes() -> int:
        """Return the maximum size of the body, in bytes."""
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
            ParseError: The body is not JSON, or nested too deeply.
            Unprocessable: A string contains a character that the database cannot store.
        """
        text = _bounded(stream, self.most_bytes())
        try:
            parsed = super().parse(io.BytesIO(text), media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error: the value is nested too deeply.") from None
        if _has_unstorable_text(parsed):
            raise Unprocessable("A string contains a NUL character or an unpaired surrogate.")
        return parsed


class EmailParser(Bounded):
    """Parser of an email file. It returns the bytes unchanged."""

    media_type = "message/rfc822"

    @staticmethod
    def most_bytes() -> int:
        """Return the maximum size of the body, in bytes."""
        return MAX_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read the email.

        Args:
            stream: The body.
            media_type: The content type.
            parser_context: The context of the parser.

        Returns:
            The bytes of the email.

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
    """Return whether any string or key contains a NUL or a surrogate. Iterative, because deep nesting is possible."""
    pending = [parsed]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
            return True
    return False
