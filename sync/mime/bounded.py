"""The standard library's policy for email as it is, with headers of bounded length."""

from __future__ import annotations

from email.policy import Compat32

_MOST_OF_CONTENT, _MOST = 8 * 1024, 1024 * 1024
"""Characters of a header. Those of the content (type, disposition) are taken apart at every question, in a time that
grows with the square of their length."""


class BoundedHeaders(Compat32):
    """Cuts what is longer than any program makes it, while the email is read."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        most = _MOST_OF_CONTENT if name.lower().startswith("content-") else _MOST
        return name, value[:most]
