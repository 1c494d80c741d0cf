"""The standard library's policy for email as it is, with headers of bounded length."""

from __future__ import annotations

from email.policy import Compat32

_MOST_OF_CONTENT, MOST = 8 * 1024, 1024 * 1024
"""Characters of a header. Those of the content (type, disposition) are taken apart at every question, in a time that
grows with the square of their length and of the number of their parameters."""
_MOST_PARAMETERS = 200
"""A file name of 256 characters, encoded and continued line by line (RFC 2231), makes forty."""


class BoundedHeaders(Compat32):
    """Cuts what is longer than any program makes it, while the email is read."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        if not name.lower().startswith("content-"):
            return name, value[:MOST]
        return name, ";".join(value[:_MOST_OF_CONTENT].split(";", _MOST_PARAMETERS)[:_MOST_PARAMETERS])
