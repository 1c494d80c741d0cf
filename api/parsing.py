"""Bodies: JSON or an email, bounded before anything is made of them."""

from __future__ import annotations

import io
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from api.problems import PayloadTooLarge, Unprocessable
from conversion.preview import MOST_BYTES


class Bounded(BaseParser):
    """A parser that says how large a body may be."""

    @staticmethod
    def most_bytes() -> int:
        raise NotImplementedError


class BoundedJson(Bounded, JSONParser):
    """JSON up to API_MOST_BYTES: what is larger is refused unread."""

    @staticmethod
    def most_bytes() -> int:
        return int(settings.API_MOST_BYTES)

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        text = _bounded(stream, self.most_bytes())
        try:
            parsed = super().parse(io.BytesIO(text), media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error: it is nested too deep.") from None
        if _has_foul_text(parsed):
            raise Unprocessable("A text holds a NUL or half a surrogate pair.")
        return parsed


class EmailParser(Bounded):
    """An email as it is."""

    media_type = "message/rfc822"

    @staticmethod
    def most_bytes() -> int:
        return MOST_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return _bounded(stream, self.most_bytes())


def _bounded(stream: IO[bytes], most: int) -> bytes:
    content: bytes = stream.read(most + 1)
    if len(content) > most:
        raise PayloadTooLarge(f"The body is larger than {most:,} bytes.")
    return content


def _has_foul_text(parsed: Any) -> bool:
    """Whether there is a text in it that no database can keep. Without recursion: it may be nested deep."""
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
